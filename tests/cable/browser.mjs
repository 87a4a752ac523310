// A page in a headless Chromium opens a socket with @rails/actioncable: `node browser.mjs PAGE_URL CABLE_URL PUBLISH_URL ALLOWED`.
//
// The page signs in by its cookie, as the production web client does. With ALLOWED "yes" it must hear everything in order and be
// answered; with "no" it must never be let in, neither with the cookie nor with a token that it should not have. One line per
// step; exits with 1 at the first that fails.

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [pageUrl, cableUrl, httpUrl, allowed] = process.argv.slice(2);
const room = 2000 + Math.floor(Math.random() * 1e6);

const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  headless: "shell",
  // not chromium.args: they switch the web's own security off, which is what is tried here
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

function step(name, ok, detail = "") {
  console.log(`${ok ? "ok" : "FAILED"} ${name}${ok ? "" : ": " + JSON.stringify(detail)}`);
  if (!ok) throw new Error(name);
}

async function eventually(look, what) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come within 20 s`);
}

const post = (path, body) =>
  fetch(`${httpUrl}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const publish = (messages) => post("/publish", { stream: `room/${room}`, messages });

try {
  const page = await browser.newPage();
  await page.goto(pageUrl);
  await page.evaluate(() => (document.cookie = "user=42; path=/"));
  await page.addScriptTag({ url: "/actioncable.js" });

  if (allowed === "yes") {
    await page.evaluate(
      (url, id) => {
        window.seen = { connected: [], disconnected: [], received: [] };
        window.consumer = ActionCable.createConsumer(url);
        window.room = window.consumer.subscriptions.create(
          { channel: "RoomChannel", id },
          {
            connected: (how) => seen.connected.push(how),
            disconnected: (how) => seen.disconnected.push(how),
            received: (message) => seen.received.push(message),
          },
        );
      },
      cableUrl,
      room,
    );
    const seen = () => page.evaluate(() => window.seen);
    await eventually(async () => (await seen()).connected.length === 1, "the confirmation");
    step("the cookie of an allowed page opens a socket", true);
    const agreed = await page.evaluate(() => [consumer.connection.webSocket.protocol, consumer.connection.webSocket.extensions]);
    step("protocol and no compression", agreed[0] === "actioncable-v1-json" && agreed[1] === "", agreed);
    const sent = Array.from({ length: 200 }, (_, n) => ({ n }));
    await publish(sent.slice(0, 100));
    await publish(sent.slice(100));
    await eventually(async () => (await seen()).received.length >= 200, "200 messages");
    const received = (await seen()).received;
    step("all messages in order", JSON.stringify(received) === JSON.stringify(sent), received.slice(-3));
    await page.evaluate(() => room.perform("echo", { a: 1 }));
    await eventually(async () => (await seen()).received.length === 201, "the echo");
    step("an action is answered", (await seen()).received.at(-1).echo.a === 1);
    await post("/disconnect/42?reconnect=1");
    await eventually(async () => (await seen()).connected.length === 2, "the return");
    step("it comes back by itself", (await seen()).connected[1].reconnected === true, await seen());
    await page.evaluate(() => consumer.disconnect());
  } else {
    const attempt = (query) =>
      page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, ["actioncable-v1-json", "actioncable-unsupported"]);
            socket.onopen = () => resolve("open");
            socket.onclose = (event) => resolve(event.code);
          }),
        `${cableUrl}${query}`,
      );
    const withCookie = await attempt("");
    step("the cookie of a foreign page opens nothing", withCookie === 1006, withCookie);
    const token = await (await fetch(`${httpUrl}/token/42`)).text();
    const withToken = await attempt(`?jid=${token}`);
    step("nor does a token on a foreign page", withToken === 1006, withToken);
    const connected = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const consumer = ActionCable.createConsumer(url);
          consumer.subscriptions.create("NotificationsChannel", { connected: () => resolve(true) });
          consumer.connection.monitor.pollInterval = 100;
          setTimeout(() => resolve(false), 3_000);
        }),
      cableUrl,
    );
    step("@rails/actioncable never gets in", connected === false);
  }
  console.log("all steps passed");
} catch (error) {
  console.log(`FAILED ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
