// Two learners in two browser windows: one invites the other by link, both type, one hands in, both see the results, and one earns a badge.
//
// usage: node pair_in_a_browser.mjs PAGE_URL API_ORIGIN CABLE_URL; prints one line per step, exits with 1 at a failure

import chromium from '@sparticuz/chromium'
import puppeteer from 'puppeteer-core'

const [pageUrl, api, cable] = process.argv.slice(2)
const password = 'maple sundial 41'

const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  headless: 'shell',
  // not chromium.args: they switch the web's own security off, which is what is tried here
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']
})

function step(name, ok, detail = '') {
  console.log(`${ok ? 'ok' : 'FAILED'} ${name}${ok ? '' : `: ${JSON.stringify(detail)}`}`)
  if (!ok) throw new Error(name)
}

async function eventually(look, what, seconds = 30) {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const found = await look()
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come within ${seconds} s`)
}

class Learner {
  constructor(page, name) {
    Object.assign(this, { page, email: `${name}${Date.now()}@example.test` })
  }

  static async enter(name, client) {
    const context = await browser.createBrowserContext()
    const learner = new Learner(await context.newPage(), name)
    learner.page.on('pageerror', error => console.log(`page of ${name}: ${error.message}`))
    await learner.page.goto(pageUrl)
    await eventually(() => learner.page.evaluate(() => window.isLoaded), `the page of ${name}`)
    await learner.call('POST', 'auth/signup', { user: { email: learner.email, password, password_confirmation: password } }, 201)
    const mail = await eventually(async () => {
      const outbox = await (await fetch(`${api}/dev/mail.json`)).json()
      return outbox.messages.find(one => one.to === learner.email)
    }, 'the confirmation mail')
    const token = new URL(mail.links[0]).searchParams.get('token')
    await learner.call('GET', `auth/confirmation?confirmation_token=${token}`)
    await learner.call('POST', 'auth/login', { user: { email: learner.email, password } })
    await learner.page.evaluate((url, client) => window.openLine(url, client), cable, client)
    await learner.hears('listening')
    return learner
  }

  async call(method, path, body, status = 200) {
    const answer = await this.page.evaluate(async (target, method, body) => {
      const given = await fetch(target, {
        method, credentials: 'include', headers: { 'Content-Type': 'application/json' },
        body: body === null ? undefined : JSON.stringify(body)
      })
      const text = await given.text()
      return { status: given.status, body: text ? JSON.parse(text) : null }
    }, `${api}/api/v1/${path}`, method, body ?? null)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }

  told() {
    return this.page.evaluate(() => window.told)
  }

  hears(type) {
    return eventually(async () => (await this.told()).find(one => one.type === type), type)
  }

  open(uuid) {
    return this.page.evaluate(uuid => window.openFile(uuid, 'solution.js'), uuid).then(() => this.hears('bound'))
  }

  async type(text) {
    await this.page.focus('#editor')
    await this.page.keyboard.type(text, { delay: 20 })
  }

  reads() {
    return this.page.evaluate(() => document.getElementById('editor').value)
  }

  isSaved() {
    return this.page.evaluate(() => window.collaboration.isSaved)
  }
}

try {
  const ada = await Learner.enter('ada', 'anycable')
  const bob = await Learner.enter('bob', 'rails')
  step('two learners, each with a window of their own and a cable client of their own', true)

  const levels = (await ada.call('GET', 'internal/levels?course_slug=coding-fundamentals')).levels
  const [first, second] = levels[0].lessons.map(one => one.slug)
  await ada.call('POST', `internal/user_lessons/${first}/start`)
  await ada.call('PATCH', `internal/user_lessons/${first}/complete`)
  await ada.hears('learning.badge_awarded')
  step('the badge is seen by one', !(await bob.told()).some(one => one.type === 'learning.badge_awarded'), await bob.told())

  await ada.call('POST', `internal/user_lessons/${second}/start`)
  const files = [{ filename: 'solution.js', code: 'move()\n' }]
  const begun = await ada.call('POST', 'internal/collaborations', { collaboration: { lesson_slug: second, files } }, 201)
  const uuid = begun.collaboration.uuid
  const made = await ada.call('POST', `internal/collaborations/${uuid}/invitations`, { invitation: { role: 'edit' } }, 201)
  const link = new URL(made.invitation.url)
  await ada.open(uuid)
  await bob.call('POST', 'internal/collaborations/join', { token: link.searchParams.get('token') })
  await bob.open(uuid)
  step('one invites, the other joins by the link', true)
  await ada.hears('learning.collaboration_joined')
  step('the owner is told of it', true)

  await Promise.all([ada.type('// Ada was here'), bob.type('// Bob was here')])
  const isOne = async () => {
    const [one, other] = [await ada.reads(), await bob.reads()]
    return one === other && (await ada.isSaved()) && (await bob.isSaved()) && one.length === 'move()\n'.length + 30 && one
  }
  const text = await eventually(isOne, 'one text in both windows')
  step('both type at once and read the same', true)

  const shown = (await bob.call('GET', `internal/collaborations/${uuid}`)).collaboration.documents[0].content
  step('it is what the server has', shown === text, { shown, text })

  const handedIn = await ada.call('POST', `internal/collaborations/${uuid}/submit`, {}, 201)
  step('the owner hands in', handedIn.submission.files[0].content === text, handedIn)
  for (const learner of [ada, bob]) {
    const told = await learner.hears('submitted')
    step('both are told', told.submission_uuid === handedIn.submission.uuid, told)
  }

  for (const learner of [ada, bob]) {
    const told = await learner.hears('tested')
    step('both see how its tests went', told.submission_uuid === handedIn.submission.uuid && told.outcome, told)
  }

  await ada.call('POST', `internal/collaborations/${uuid}/end`)
  await bob.hears('closed')
  step('the end reaches the other', true)
  console.log('all steps passed')
} catch (error) {
  console.log(`FAILED ${error.stack}`)
  process.exitCode = 1
} finally {
  await browser.close()
}
