// In a page of the front-end's origin: loads every locale's published files as a front-end would (pointer, then the
// content-hashed file), gives them to i18next with and without its ICU plugin, and compares each text with the wanted one.
//
// usage: node catalogues.mjs PAGE_URL API_ORIGIN WANTED_JSON

import { readFile } from "node:fs/promises";

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [pageUrl, api, wantedFile] = process.argv.slice(2);
const wanted = JSON.parse(await readFile(wantedFile, "utf8"));

const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  headless: "shell",
  // not chromium.args: they switch the web's own security off
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

try {
  const page = await browser.newPage();
  await page.goto(pageUrl);
  for (const script of ["i18next.js", "icu.js"]) await page.addScriptTag({ url: `${pageUrl}${script}` });

  const differing = await page.evaluate(
    async (api, wanted) => {
      const load = async (locale, namespace) => {
        const root = `${api}/api/v1/external/i18n/${locale}`;
        const pointer = await (await fetch(root)).json();
        const answer = await fetch(`${root}/files/${pointer.catalogues[namespace]}`);
        if (!answer.headers.get("cache-control").includes("immutable")) throw new Error(`${answer.url}: ${answer.status}, a hashed file that may change`);
        return answer.json();
      };
      const locales = [...new Set(wanted.map((one) => one.locale))];
      const differing = [];
      for (const [namespace, plugins] of [["shop", [i18nextICU]], ["market", []]]) {
        const resources = {};
        for (const locale of locales) resources[locale] = { [namespace]: await load(locale, namespace) };
        const instance = i18next.createInstance();
        for (const plugin of plugins) instance.use(plugin);
        await instance.init({ resources, lng: "en", fallbackLng: false, ns: [namespace], defaultNS: namespace });
        for (const { locale, count, text } of wanted) {
          const number = new Intl.NumberFormat(locale).format(count);
          const got = instance.getFixedT(locale, namespace)("basket.apples", { count });
          const right = text.replace("#", number);
          if (got !== right) differing.push({ namespace, locale, count, got, right });
        }
      }
      return differing;
    },
    api,
    wanted,
  );
  if (differing.length) throw new Error(JSON.stringify(differing, null, 1));
  console.log(`${2 * wanted.length} texts as CLDR says`);
} catch (error) {
  console.log(`FAILED ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
