# ruff: noqa: E501 - lines of templates are as long as their tags
"""Chat templates as the common model families write them, in our own words: none of them is unsafe."""

from __future__ import annotations

CHATML = """\
{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

LLAMA_2 = """\
{% if messages[0]['role'] == 'system' %}
{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}
{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}
{% for message in loop_messages %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Roles must alternate user/assistant/user/assistant/...') }}
{% endif %}
{% if loop.index0 == 0 and system_message != false %}
{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}
{% else %}{% set content = message['content'] %}{% endif %}
{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}
{% endfor %}
"""

LLAMA_3_TOOLS = """\
{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not tools_in_user_message is defined %}{%- set tools_in_user_message = true %}{%- endif %}
{%- if not date_string is defined %}
  {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
  {%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
  {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{%- if builtin_tools is defined %}
  {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{%- if tools is not none and not tools_in_user_message %}
  {%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- endif %}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
  {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim }}
  {%- elif 'tool_calls' in message %}
    {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one tool call at once") }}{%- endif %}
    {%- set tool_call = message.tool_calls[0].function %}
    {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
      {{- "<|python_tag|>" + tool_call.name + ".call(" }}
      {%- for arg_name, arg_val in tool_call.arguments | items %}
        {{- arg_name + '="' + arg_val + '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}
      {%- endfor %}{{- ")" }}
    {%- else %}{{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}
    {%- endif %}
  {%- else %}
    {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}
    {%- else %}{{- message.content }}{%- endif %}
  {%- endif %}
{%- endfor %}
"""

MISTRAL = """\
{%- if messages[0]["role"] == "system" %}
  {%- set system_message = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}{%- set ns.index = 0 %}
{%- for message in loop_messages %}
  {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("alternate") }}{%- endif %}
    {%- set ns.index = ns.index + 1 %}
  {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
  {%- if message["role"] == "user" %}
    {%- if tools is not none and (message == user_messages[-1]) %}
      {{- "[AVAILABLE_TOOLS] [" }}
      {%- for tool in tools %}{%- set tool = tool.function %}{{- '{"type": "function", "function": {' }}
        {%- for key, val in tool.items() if key != "return" %}
          {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}
          {%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
          {%- if not loop.last %}{{- ", " }}{%- endif %}
        {%- endfor %}{{- "}}" }}
      {%- endfor %}{{- "][/AVAILABLE_TOOLS]" }}
    {%- endif %}
    {{- "[INST] " + message["content"] + "[/INST]" }}
  {%- elif message.tool_calls is defined and message.tool_calls is not none %}
    {%- for tool_call in message.tool_calls %}
      {%- set out = tool_call.function|tojson %}{{- out[:-1] }}
      {%- if not tool_call.id is defined or tool_call.id|length != 9 %}{{- raise_exception("id") }}{%- endif %}
    {%- endfor %}
  {%- elif message["role"] == "assistant" %}{{- " " + message["content"]|trim + eos_token}}{%- endif %}
{%- endfor %}
"""

GEMMA = """\
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}
{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}
{% else %}{% set role = message['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}
"""

GEMMA_3 = """\
{%- if messages[0]['content'] is string -%}{%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
{%- else -%}{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- endif -%}
{%- for message in messages -%}
  {%- if message['content'] is iterable and message['content'] is not string -%}
    {%- for item in message['content'] -%}
      {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}
      {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
    {%- endfor -%}
  {%- else -%}{{ raise_exception("Invalid content type") }}{%- endif -%}
{%- endfor -%}
"""

QWEN_TOOLS = """\
{%- if tools %}
  {{- '<|im_start|>system\\n' }}{{- "# Tools\\n<tools>" }}
  {%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
  {{- '\\n</tools>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
  {%- elif message.role == "assistant" %}
    {%- for tool_call in message.tool_calls %}
      {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
      {{- '\\n<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- tool_call.arguments | tojson }}
    {%- endfor %}
  {%- elif message.role == "tool" %}
    {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
    {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
  {%- endif %}
{%- endfor %}
"""

QWEN_REASONING = """\
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
  {%- set index = (messages|length - 1) - loop.index0 %}
  {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not
     (message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
    {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
  {%- endif %}
{%- endfor %}
{%- for message in messages %}
  {%- set content = message.content if message.content is string else '' %}
  {%- set reasoning_content = '' %}
  {%- if message.reasoning_content is string %}{%- set reasoning_content = message.reasoning_content %}
  {%- elif '</think>' in content %}
    {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
    {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
  {%- endif %}
  {%- if loop.index0 > ns.last_query_index %}
    {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + content }}
  {%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>' }}{%- endif %}
"""

QWEN_VISION = """\
{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}
{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}<|im_end|>
{% else %}{% for content in message['content'] %}
{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}
{% set image_count.value = image_count.value + 1 %}
{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>
{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>
{% endif %}{% endfor %}
"""

QWEN_CODER = """\
{% macro render_extra_keys(json_dict, handled_keys) %}
  {%- if json_dict is mapping %}
    {%- for json_key in json_dict if json_key not in handled_keys %}
      {%- if json_dict[json_key] is mapping or (json_dict[json_key] is sequence and json_dict[json_key] is not string) %}
        {{- '\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | tojson | safe) ~ '</' ~ json_key ~ '>' }}
      {%- else %}{{-'\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | string) ~ '</' ~ json_key ~ '>' }}{%- endif %}
    {%- endfor %}
  {%- endif %}
{%- endmacro %}
{%- for tool in tools %}
  {%- for param_name, param_fields in tool.parameters.properties|items %}
    {%- set handled_keys = ['name', 'type', 'description'] %}{{- render_extra_keys(param_fields, handled_keys) }}
  {%- endfor %}
{%- endfor %}
"""

PHI = """\
{% for message in messages %}
{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}
{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|><|end|>' }}
{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}
{% endfor %}
"""

DEEPSEEK = """\
{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}
{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}
{%- for message in messages %}
  {%- if message['role'] == 'system' %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}
  {%- endif %}
{%- endfor %}{{bos_token}}{{ns.system_prompt}}
{%- for message in messages %}
  {%- if message['role'] == 'assistant' and message['content'] is none %}
    {%- set ns.is_tool = false -%}
    {%- for tool in message['tool_calls']%}
      {{'<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\\n```json\\n'}}
    {%- endfor %}
  {%- elif message['role'] == 'assistant' %}
    {% set content = message['content'] %}
    {% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
    {{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}
  {%- endif %}
{%- endfor -%}
"""

COMMAND_R = """\
{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}{{- "List[" + json_to_python_type(json_spec.items) + "]" }}
{%- elif json_spec.type == "object" %}{{- "Dict[str, " + json_to_python_type(json_spec.additionalProperties) + ']' }}
{%- elif json_spec.type is iterable %}{{- "Union[" }}
  {%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- endfor %}{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- macro old_tool_parser(tools) %}
{%- for tool in tools %}{{- 'def ' + tool.name + '(' }}
  {%- for param_name, param_fields in tool.parameter_definitions|items %}
    {%- if loop.index0 != 0 %}{{ ', ' }}{%- endif %}{{- param_name + ': ' + json_to_python_type(param_fields) }}
    {%- if not param_fields.required %}{{ ' = None' }}{%- endif %}
  {%- endfor %}{{- ') -> List[Dict]' }}
{%- endfor %}
{%- endmacro %}
{{ old_tool_parser(tools) }}
{%- for document in documents %}{{ '\\nDocument: ' }}{{ loop.index0 }}
  {% for key, value in document.items() %}{{ key }}: {{value}}\\n{% endfor %}
{%- endfor %}
"""

SCHEMA_MACROS = """\
{%- macro render_type(spec, required, depth=0) -%}
  {%- if spec.type == "array" -%}
    {%- if spec['items'] -%}{{ render_type(spec['items'], required, depth + 1) }}[]{%- else -%}any[]{%- endif -%}
    {%- if spec.nullable -%} | null{%- endif -%}
  {%- elif spec.type is defined and spec.type is iterable and spec.type is not string -%}
    {{- spec.type | join(" | ") -}}
  {%- elif spec.oneOf -%}
    {%- for variant in spec.oneOf -%}{{- render_type(variant, required, depth) -}}{%- endfor -%}
  {%- elif spec.type == "object" -%}
    {%- if spec.properties -%}{{ "{" }}
      {%- for name, prop in spec.properties.items() -%}
        {{- name -}}{%- if name not in (spec.required or []) -%}?{%- endif -%}{{ ": " }}
        {{- render_type(prop, spec.required or [], depth + 1) }}
        {%- if not loop.last -%}{{ ", " }}{%- endif -%}
      {%- endfor -%}{{ "}" }}
    {%- else -%}object{%- endif -%}
  {%- else -%}any{%- endif -%}
{%- endmacro -%}
{%- for tool in tools %}{{ render_type(tool.function.parameters, []) }}{%- endfor %}
"""

FUNCTION_LISTS = """\
{%- macro describe(tools, level) -%}
  {%- set ns = namespace(sections=[], used='') -%}
  {%- for tool in tools -%}
    {%- set spec = tool.function -%}{%- set ns.sections = ns.sections + ['type ' + spec.name ~ ' = (_: '] -%}
    {%- for name in spec.parameters.properties -%}
      {%- set ns.used = ns.used ~ name ~ ', ' -%}{{ '  ' * level }}{{ spec.parameters.properties[name].description }}
    {%- endfor -%}
  {%- endfor -%}{{ ns.sections | join('\\n') }}
{%- endmacro -%}
{%- set tool_names = tools | map(attribute='function.name') | list -%}
{{ describe(tools, 1) }}{{ tool_names | unique(case_sensitive=true) | sort | join(', ') }}
"""

ZEPHYR = """\
{% for message in messages %}
{% if message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\\n'  + message['content'] + eos_token }}{% endif %}
{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}
"""

VICUNA = """\
{% if not messages[0].role == 'system' %}{% set system = 'A chat between a user and an assistant.' %}{% endif %}
{{ system }}{% for m in messages %}{% set role = {'user': 'USER', 'assistant': 'ASSISTANT'}[m['role']] %}
{{ role ~ ': ' ~ m['content']|trim ~ (' ' if m['role'] == 'user' else '</s>') }}{% endfor %}
"""

FALCON = """\
{% for message in messages %}{% if not loop.first %}{{ '\\n' }}{% endif %}
{% if message['role'] == 'system' %}{{ 'System: ' }}{% elif message['role'] == 'user' %}{{ 'User: ' }}
{% elif message['role'] == 'assistant' %}{{ 'Falcon: ' }}{% endif %}{{ message['content'] }}{% endfor %}
{% if add_generation_prompt %}{{ '\\n' + 'Falcon:' }}{% endif %}
"""

GRANITE = """\
{%- set system_message = 'Knowledge Cutoff Date: April 2024.\\nToday is ' + strftime_now('%B %d, %Y') + '.' %}
{%- if available_tools is defined and available_tools %}{%- set tools = available_tools %}{%- endif %}
{%- set ns = namespace(found=false) %}
{%- for message in messages %}
  {%- set role = message['role'] if message['role'] != 'tool' else 'tool_response' -%}
  {{- '<|start_of_role|>' + role }}{%- if controls and loop.last %}{{- ' ' + controls | tojson(indent=4)}}{%- endif %}
  {%- if message['role'] == 'assistant_tool_call' and not ns.found %}{% set ns.found = true %}{% break %}{%- endif %}
  {%- if not message.content %}{% continue %}{% endif %}{{- message['content'] }}
{%- endfor %}
"""

OLMO = """\
{{ eos_token }}{% for message in messages %}
{% if message['role'] == 'system' %}{{ '<|system|>\\n' + message['content'] + '\\n' }}
{% elif message['role'] == 'assistant' %}{% generation %}{% if not loop.last %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token + '\\n' }}{% else %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}{% endif %}{% endgeneration %}{% endif %}
{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}
"""

YI = """\
{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] %}{% endif %}
{% if system_message is defined %}{{ system_message }}{% endif %}
{% for message in messages %}{% set content = message['content'] %}{% if message['role'] == 'user' %}
{{ '<|im_start|>user\\n' + content + '<|im_end|>\\n<|im_start|>assistant\\n' }}{% endif %}{% endfor %}
"""

SMOL = """\
{%- set defaults = {"xml_tools": true, "python_tools": false} -%}
{%- set custom = messages[0].content.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- if "/system_override" in messages[0].content -%}{{- custom.replace("/system_override", "") -}}{%- endif -%}
{%- do custom_tools.append(1) if custom_tools is defined -%}
{%- set now = strftime_now("%d %B %Y") if strftime_now else "" -%}
{%- for message in messages -%}
  {%- set content = message.content if message.content is string else message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('\\n') -%}
  {%- filter trim -%}{{ content | replace("\\r\\n", "\\n") }}{%- endfilter -%}
{%- endfor -%}
{%- call(x) wrapper("a") -%}{{ x }}{%- endcall -%}
"""

HERMES = """\
{%- macro argument_lines(tool) %}
  {%- for name, fields in tool.parameters.properties|items %}
    {{- "        " + name + "(" + fields.type + "): " + fields.description|trim + '\\n' }}
  {%- endfor %}
{%- endmacro %}
{{- '<|im_start|>system\\nYou are a function calling model. Here are the tools: <tools> ' }}
{%- for tool in tools %}{%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
  {{- '{"type": "function", "function": {"name": "%s", ' % tool.name }}{{- argument_lines(tool) }}
  {{- '"parameters": {}'.format(tool.parameters|tojson) }}
{%- endfor %}
{%- for i in range(messages|length) %}{{ messages[i].content }}{%- endfor %}
{%- for i in range(0, 3) %}{{ "%02d" | format(i) }}{%- endfor %}
"""

BLENDER = """\
{%- set roles = {'user': 'User', 'assistant': 'Bot'} -%}{%- set sep = '-' * 40 -%}
{%- for message in messages -%}
  {%- if message.role not in roles -%}{{ raise_exception('Unknown role: ' ~ message.role) }}{%- endif -%}
  {{ sep ~ roles.get(message.role, 'User') ~ ': ' ~ message.get('content', '') | default('', true) }}
  {%- with extra = message['meta_' ~ message.role] -%}{{ extra }}{%- endwith -%}
{%- endfor -%}
"""

BENIGN = {name.lower(): value for name, value in sorted(vars().items()) if name.isupper()}
