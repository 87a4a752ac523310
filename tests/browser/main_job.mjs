// Drives a page of the front-end's origin through the main job, as the production web client would: cookies only, with
// credentials, a JSON content type on every call, no token. Prints one line per step; exits with 1 at the first that fails.
//
// usage: node main_job.mjs PAGE_URL API_ORIGIN CABLE_URL ACTIONCABLE_SCRIPT_URL

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [pageUrl, api, cable, actioncable] = process.argv.slice(2);
const email = `browser${Date.now()}@example.test`;
const password = "maple sundial 41";

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
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come within 30 s`);
}

try {
  const page = await browser.newPage();
  await page.goto(pageUrl);

  const call = (method, path, body) =>
    page.evaluate(
      async (target, method, body) => {
        const answer = await fetch(target, {
          method,
          credentials: "include",
          headers: { "Content-Type": "application/json" },
          body: body === null ? undefined : JSON.stringify(body),
        });
        const text = await answer.text();
        const isJson = (answer.headers.get("content-type") || "").includes("application/json");
        return { status: answer.status, body: isJson && text ? JSON.parse(text) : text };
      },
      `${api}/api/v1/${path}`,
      method,
      body ?? null,
    );

  const attribution = { referrer: null, landing_path: "/auth/signup", utm_source: null, utm_medium: null, utm_campaign: null, captured_at: new Date().toISOString() };
  const signup = await call("POST", "auth/signup", { user: { email, password, password_confirmation: password }, attribution, cf_turnstile_response: "tok" });
  step("sign up", signup.status === 201 && signup.body.user.email_confirmed === false, signup);

  const refused = await call("POST", "auth/login", { user: { email, password }, cf_turnstile_response: "tok" });
  step("unconfirmed is refused", refused.status === 401 && refused.body.error.type === "unconfirmed" && refused.body.error.email === email, refused);

  const mail = await eventually(async () => {
    const outbox = await (await fetch(`${api}/dev/mail.json`)).json();
    return outbox.messages.find((one) => one.to === email);
  }, "the confirmation mail");
  const token = new URL(mail.links[0]).searchParams.get("token");
  const confirmed = await call("GET", `auth/confirmation?confirmation_token=${token}`);
  step("confirm by the mail's link", confirmed.status === 200 && confirmed.body.status === "success", confirmed);
  const twice = await call("GET", `auth/confirmation?confirmation_token=${token}`);
  step("the client calls it twice", twice.status === 200, twice);

  await call("DELETE", "auth/logout");
  const out = await call("GET", "internal/me");
  step("signed out", out.status === 401 && out.body.error.type === "unauthenticated", out);
  const login = await call("POST", "auth/login", { user: { email, password }, cf_turnstile_response: "tok" });
  step("sign in", login.status === 200 && login.body.status === "success", login);

  const cookies = await browser.cookies();
  const names = cookies.map((one) => one.name);
  step("both cookies are there", names.includes("jiki_session") && names.includes("jiki_user_id_development"), names);
  step("cookies are http-only", cookies.every((one) => one.httpOnly && one.path === "/"), cookies);

  const me = await call("GET", "internal/me");
  step("me", me.status === 200 && me.body.user.email === email && me.body.user.premium_prices !== undefined, me);

  const gone = await call("PATCH", "internal/user_levels/using-functions/complete");
  step("a route that is gone is a 404, not a lost connection", gone.status === 404 && gone.body.error.type === "not_found", gone);

  const levels = (await call("GET", "internal/levels?course_slug=coding-fundamentals")).body.levels;
  const [first, second] = levels[0].lessons.map((one) => one.slug);

  await page.addScriptTag({ url: actioncable });
  await page.evaluate((url) => {
    window.told = [];
    window.consumer = ActionCable.createConsumer(url);
    window.consumer.subscriptions.create("NotificationsChannel", {
      connected: () => window.told.push({ type: "connected" }),
      received: (message) => window.told.push(message),
    });
  }, cable);
  await eventually(() => page.evaluate(() => window.told.some((one) => one.type === "connected")), "the subscription");
  step("subscribe with @rails/actioncable", true);

  const started = await call("POST", `internal/user_lessons/${first}/start`);
  step("start a lesson", started.status === 200 && started.body.user_lesson.status === "started", started);
  const completed = await call("PATCH", `internal/user_lessons/${first}/complete`);
  const events = completed.body.meta.events;
  step("complete it", completed.status === 200 && events[0]?.type === "lesson_unlocked" && events[0].data.lesson_slug === second, completed);
  await eventually(() => page.evaluate(() => window.told.some((one) => one.type === "learning.lesson_unlocked")), "the unlock on the socket");
  step("the unlock arrives on the socket", true);
  await eventually(() => page.evaluate(() => window.told.some((one) => one.type === "learning.badge_awarded")), "the badge on the socket");
  step("the badge arrives on the socket", true);

  await call("POST", `internal/user_lessons/${second}/start`);
  const submitted = await call("POST", `internal/lessons/${second}/exercise_submissions`, { submission: { files: [{ filename: "solution.js", code: "move()\n" }] } });
  step("submit an exercise", submitted.status === 201, submitted);
  console.log("all steps passed");
} catch (error) {
  console.log(`FAILED ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
