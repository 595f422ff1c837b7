import { join } from 'node:path'

import { AppError, pause, randomBytes } from '#base'
import type { CommandAssertion, HttpAssertion, RestoreTesting } from '#model'
import type { Workplace } from '#sandbox'
import { answer, damage, impossible, joined, reasonOf, type Answer } from './answer.ts'
import type { LiveDatabase } from './live-database.ts'
import type { RestoredCopy } from './restored-copy.ts'

/** An application that was just started gets so long until it answers. */
const tries = 60
const betweenMs = 500

/**
 * Runs the owner's commands in the restored folder, and asks the application that is started there. Both find the restored databases in
 * their environment, own nothing else, and reach nothing outside: a copy of production must not send mails.
 */
export async function askApplication(
  { assertions, application }: RestoreTesting,
  copy: RestoredCopy,
  databases: readonly LiveDatabase[],
  workplace: Workplace,
  signal: AbortSignal,
): Promise<Answer> {
  const commands = assertions.filter((one) => one.kind === 'command')
  const requests = assertions.filter((one) => one.kind === 'http')
  if (commands.length + requests.length === 0) return answer(0, [])
  if (process.getuid?.() !== 0) {
    return impossible(
      'application',
      'commands and requests need root, because nobody else can keep the copy from the network',
    )
  }
  const folder = await placeApplication(copy, workplace, signal)
  const environment = Object.assign({}, ...databases.toReversed().map((one) => one.environment)) as Record<
    string,
    string
  >
  const place = { workplace, folder, environment: { ...environment, ...quiet } }
  const answers: Answer[] = []
  for (const one of commands) answers.push(await runCommand(one, place, signal))
  if (requests.length > 0) {
    answers.push(
      application
        ? await startAndAsk(application.start, requests, place, signal)
        : answer(1, [damage('application', 'requests need `application: { start: [...] }` in the configuration')]),
    )
  }
  return joined(answers)
}

interface Place {
  readonly workplace: Workplace
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

/** What a Laravel application would send, write elsewhere or wait for. */
const quiet: Readonly<Record<string, string>> = {
  MAIL_MAILER: 'array',
  QUEUE_CONNECTION: 'sync',
  CACHE_DRIVER: 'array',
  CACHE_STORE: 'array',
  SESSION_DRIVER: 'array',
  BROADCAST_DRIVER: 'log',
  BROADCAST_CONNECTION: 'log',
}

/** Files and settings together, as they are where the project lives, in a folder of the account that the application runs as. */
async function placeApplication(copy: RestoredCopy, workplace: Workplace, signal: AbortSignal): Promise<string> {
  const folder = workplace.makeFolder('application')
  for (const part of ['files', 'config']) await workplace.copyInto(join(copy.folder, part), folder, signal)
  await workplace.handOver(folder, signal)
  return folder
}

async function runCommand({ command }: CommandAssertion, place: Place, signal: AbortSignal): Promise<Answer> {
  const [program, ...args] = command as [string, ...string[]]
  const { workplace, folder, environment } = place
  try {
    await workplace.run({ program, args, cwd: folder, environment }, signal)
    return answer(1, [])
  } catch (thrown) {
    signal.throwIfAborted()
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    const outcome = thrown instanceof AppError ? String(thrown.facts['outcome']) : 'failed'
    return answer(1, [damage('command', `${command.join(' ')} ${outcome}: ${reason}`)])
  }
}

async function startAndAsk(
  start: readonly string[],
  requests: readonly HttpAssertion[],
  { workplace, folder, environment }: Place,
  signal: AbortSignal,
): Promise<Answer> {
  const port = 20_000 + (Buffer.from(randomBytes(2)).readUInt16BE() % 10_000)
  const [program, ...args] = start.map((word) => word.replaceAll('{port}', String(port))) as [string, ...string[]]
  try {
    const call = { program, args, cwd: folder, environment: { ...environment, PORT: String(port) } }
    await using running = await workplace.start(call, signal)
    let ended: string | undefined
    void running.ended.then(
      ({ code, stderr }) => (ended = `it ended with exit code ${code}: ${stderr.trim().slice(-300)}`),
    )
    const answers: Answer[] = []
    for (const request of requests) {
      answers.push(await askOnce(request, `http://127.0.0.1:${port}`, workplace, () => ended, signal))
    }
    return joined(answers)
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof AppError && thrown.code.startsWith('sandbox.'))
      return impossible('application', thrown.message)
    throw thrown
  }
}

async function askOnce(
  { path, status, contains }: HttpAssertion,
  origin: string,
  workplace: Workplace,
  hasEnded: () => string | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  let reason = ''
  for (let nth = 1; nth <= tries; nth++) {
    if (nth > 1) await pause(betweenMs, signal)
    const said = await workplace.request(origin + path, signal)
    const ended = hasEnded()
    if ('failed' in said) {
      reason = ended ?? said.failed
      if (ended !== undefined) break
      continue
    }
    const isExpected = status === undefined ? said.status >= 200 && said.status < 300 : said.status === status
    if (!isExpected) return answer(1, [damage(path, `the restored application answers ${said.status}`)])
    if (contains !== undefined && !said.text.includes(contains)) {
      return answer(1, [
        damage(path, `the answer of the restored application does not contain ${JSON.stringify(contains)}`),
      ])
    }
    return answer(1, [])
  }
  return answer(1, [damage(path, `the restored application does not answer: ${reason}`)])
}
