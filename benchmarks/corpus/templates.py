"""Chat templates: those that reach for Python's internals, those that never end, and ordinary ones."""

from __future__ import annotations

UNSAFE = {
    "mro": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "cycler_globals": "{{ cycler.__init__.__globals__.os.popen('echo inert').read() }}",
    "lipsum_globals": "{{ lipsum.__globals__['os'].system('echo inert') }}",
    "namespace_globals": "{{ namespace.__init__.__globals__['__builtins__']['exec']('1') }}",
    "attr_filter": "{{ ''|attr('__class__')|attr('__base__') }}",
    "attr_escaped": "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "attr_joined": "{{ ''|attr('__cl' ~ 'ass__') }}",
    "attr_added": "{{ ''|attr('__cl' + 'ass__') }}",
    "attr_variable": "{% set u = '__' %}{{ ''|attr(u ~ 'class' ~ u) }}",
    "attr_join_filter": "{{ ''|attr(['__', 'class', '__']|join) }}",
    "attr_replace": "{{ ''|attr('xxclassxx'|replace('x', '_')) }}",
    "attr_format": "{{ ''|attr('%c%cclass%c%c'|format(95, 95, 95, 95)) }}",
    "attr_reverse": "{{ ''|attr('__ssalc__'|reverse) }}",
    "attr_of_message": "{{ ''|attr(messages[0]['content']) }}",
    "subscript": "{{ ''['__class__']['__mro__'] }}",
    "subscript_joined": "{{ ''['__cla' ~ 'ss__'] }}",
    "map_attribute": "{{ [lipsum]|map(attribute='__globals__')|list }}",
    "select_attribute": "{{ messages|selectattr('__class__')|list }}",
    "group_by_attribute": "{{ messages|groupby('__class__') }}",
    "sort_attribute": "{{ messages|sort(attribute='__init__.__globals__') }}",
    "self": "{{ self.__init__.__globals__ }}",
    "self_reference": "{{ self._TemplateReference__context }}",
    "loop_internals": "{% for m in messages %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "function_globals": "{{ raise_exception.__globals__['sys'].modules }}",
    "function_code": "{{ raise_exception.__code__ }}",
    "generator_frame": "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "format_method": "{{ '{0.__class__.__mro__}'.format(messages) }}",
    "format_map_method": "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "import": "{% import 'os' as os %}{{ os }}",
    "include": "{% include '/etc/passwd' %}",
    "from_import": "{% from '../../secret' import x %}{{ x }}",
    "extends": "{% extends '/etc/passwd' %}",
    "in_condition": "{% if messages.__class__ %}x{% endif %}",
    "in_macro": "{% macro m() %}{{ cycler.__init__.__globals__ }}{% endmacro %}{{ m() }}",
    "in_set": "{% set x = ''.__class__ %}hello",
    "in_loop": "{% for c in ''.__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "behind_ordinary_text": "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if messages|length > 1000 %}{{ cycler.__init__.__globals__.os.system('echo inert') }}{% endif %}",
    "broken_syntax": "{% for m in messages %}{{ m['content'] ",
}
ENDLESS = {
    "range": "{% for i in range(10000000000) %}x{% endfor %}",
    "nested_ranges": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "repeat": "{{ 'A' * 10000000000 }}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "named_range": "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% for c in r %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "centre": "{{ 'x'|center(2000000000) }}",
    "width": "{{ '%2000000000d'|format(1) }}",
}

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message %}"
    "{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content|trim + ' ' + eos_token }}{% endif %}{% endfor %}"
)
TOOLS = (
    "{%- macro json_to_python_type(json_spec) %}{%- set basic = {'string': 'str', 'number': 'float'} %}"
    "{%- if basic[json_spec.type] is defined %}{{- basic[json_spec.type] }}"
    "{%- elif json_spec.type == 'array' %}{{- 'list[' + json_to_python_type(json_spec|items) + ']' }}"
    "{%- else %}{{- 'Any' }}{%- endif %}{%- endmacro %}"
    "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}"
    "{%- if tools is not none and tools|length > 0 %}{%- for tool in tools %}{{- tool.function.name ~ ': ' }}"
    "{{- tool | tojson(indent=4) }}{%- endfor %}{%- endif %}"
    "{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}"
    "{%- if ns.multi_step_tool and message.role == 'user' and message.content is string and not "
    "(message.content.startswith('<tool_response>')) %}{%- set ns.multi_step_tool = false %}"
    "{%- set ns.last_query_index = index %}{%- endif %}{%- endfor %}"
    "{%- if strftime_now is defined %}{{- strftime_now('%d %b %Y') }}{%- endif %}"
    "{%- for message in messages | selectattr('role', 'equalto', 'user') %}{{- message.content | trim }}{%- endfor %}"
    "{%- for group in messages | groupby('role') %}{{- group.list | map(attribute='content') | join(', ') }}{%- endfor %}"
)
ORDINARY = {"chatml": CHATML, "llama": LLAMA, "tools": TOOLS}
