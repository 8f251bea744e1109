// Opens pages in a browser and tells what happened there. Reads one request as JSON, writes one answer.
//
// {"browser": path, "visits": {name: visit}}, where a visit is
// {"page": path, "width", "scheme"?, "script"?: false, "picture"?: path, "audit"?: true, "steps"?: [step]}
// and a step is {"do": "fill" | "choose" | "uncheck" | "check" | "click" | "press", "at"?, "value"?}.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// What can be seen, by list: the text of each row; and where the keyboard is.
const SEEN = () => {
  const rows = {};
  for (const list of document.querySelectorAll("[data-list]")) {
    const shown = [...list.querySelectorAll(".row")].filter((row) => row.getClientRects().length > 0);
    rows[list.dataset.list] = shown.map((row) => row.textContent.replace(/\s+/gu, " ").trim());
  }
  return {
    rows,
    articles: [...document.querySelectorAll("article")].filter((each) => each.getClientRects().length > 0).length,
    filters: document.getElementById("filters").getClientRects().length > 0,
    status: document.getElementById("status").textContent,
    counts: Object.fromEntries(
      [...document.querySelectorAll("[data-count]")].map((each) => [each.dataset.count, each.textContent]),
    ),
    nothing: [...document.querySelectorAll("[data-none]:not([hidden])")].map((each) => each.dataset.none),
    focus: document.activeElement.id || document.activeElement.value || document.activeElement.className,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    pwned: window.pwned ?? null,
  };
};

const STEPS = {
  fill: (page, { at, value }) => page.fill(at, value),
  choose: (page, { at, value }) => page.selectOption(at, value),
  check: (page, { at }) => page.check(at),
  uncheck: (page, { at }) => page.uncheck(at),
  click: (page, { at }) => page.click(at),
  press: (page, { value }) => page.keyboard.press(value),
};

// On a busy machine the browser's compositor now and then gives no picture. The page stays as it is.
async function picture(page, path, tries = 3) {
  try {
    await page.screenshot({ path, fullPage: true });
  } catch (error) {
    if (tries === 1) throw error;
    await page.waitForTimeout(1000);
    await picture(page, path, tries - 1);
  }
}

async function visit(browser, wanted) {
  const context = await browser.newContext({
    viewport: { width: wanted.width, height: 900 },
    colorScheme: wanted.scheme ?? "light",
    javaScriptEnabled: wanted.script ?? true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const answer = { requests: [], messages: [], seen: [], faults: [] };
  context.on("request", (request) => answer.requests.push(request.url()));
  page.on("console", (message) => answer.messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => answer.messages.push(`thrown: ${error.message}`));
  page.on("dialog", async (dialog) => {
    answer.messages.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(pathToFileURL(wanted.page).href, { waitUntil: "load" });
  const look = async () => answer.seen.push(await page.evaluate(SEEN));
  await look();
  for (const step of wanted.steps ?? []) {
    await STEPS[step.do](page, step);
    // The page filters in the next frame.
    if (wanted.script ?? true) await page.evaluate(() => new Promise((done) => setTimeout(done, 60)));
    await look();
  }
  if (wanted.picture) await picture(page, wanted.picture);
  if (wanted.audit) {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document));
    answer.faults = violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.slice(0, 5).map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`),
    }));
  }
  await context.close();
  return answer;
}

const { browser: executablePath, visits } = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({ executablePath, args: ["--disable-gpu", "--disable-dev-shm-usage"] });
const answers = {};
try {
  for (const [name, wanted] of Object.entries(visits)) answers[name] = await visit(browser, wanted);
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(answers));
