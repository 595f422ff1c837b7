import { AppError, textOf, type Clock, type Log } from '#base'
import {
  catchUpAt,
  criticalities,
  describeSubject,
  type Configuration,
  type Due,
  type DueResult,
  type DutyReport,
  type DutySubject,
  type SeenTrouble,
} from '#model'
import { settleTroubles, type Duty, type Services } from '#usecases'
import { daemonError } from './errors.ts'
import { Era } from './era.ts'
import { Waiting } from './waiting.ts'

/** What a daemon is made of. All waiting and all telling of the time goes through this. */
export interface DaemonOptions {
  readonly clock: Clock
  /** Resolves after so many milliseconds of `clock`; rejects when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: Log
  /** Everything that is done by itself, from what goes first. */
  readonly duties: readonly Duty[]
  /** Reads the configuration as it is at that moment. */
  readonly load: () => Promise<Configuration>
  /** Opens what duties use, for one reading of the configuration. */
  readonly open: (configuration: Configuration) => Promise<Opened>
  /** Resolves when the files of a configuration are not as they were any more. Absent: they never change. */
  readonly whenChanged?: (configuration: Configuration, signal: AbortSignal) => Promise<void>
  /** Begins to answer over the network, with what `services` gives at that moment. Absent: it does not. */
  readonly listen?: (services: () => Services, log: Log) => Promise<AsyncDisposable | undefined>
  /** Between two looks at what is wrong. Default: a minute. */
  readonly watchEveryMs?: number
  /** How long what is being done may go on after the daemon was asked to stop. Default: a minute. */
  readonly graceMs?: number
}

export interface Opened extends AsyncDisposable {
  readonly services: Services
}

/** For a monitoring system. */
export interface DaemonState {
  /** When it last looked for what is due: milliseconds since 1970, UTC. */
  readonly lookedAt: number
  /** Duties that are being done. */
  readonly running: number
  /** Duties that are due and wait for room. */
  readonly waiting: number
}

interface Work {
  readonly duty: Duty
  readonly project: string | undefined
  readonly ended: Promise<void>
}

const minuteMs = 60_000
/** Nothing that failed or could not even be judged is tried again sooner, whatever the records say. */
const leastRetryMs = minuteMs
/** A clock that runs so much ahead of one that never jumps was set, or the machine slept. */
const sleptMs = minuteMs
const keeperPauseMs = 5000

/** Does what is due. Make one, and call either verb once. */
export class Daemon {
  readonly #options: DaemonOptions
  readonly #watchEveryMs: number
  readonly #working = new Map<string, Work>()
  /** When to judge each duty again; those that are not in it, at once. */
  readonly #lookAt = new Map<string, number>()
  readonly #notBefore = new Map<string, number>()
  readonly #waiting: Waiting
  readonly #cut = new AbortController()
  #era: Era | undefined
  #listening: AsyncDisposable | undefined
  #isKeeper = false
  #isChanging = false
  #waitingForRoom = 0
  #catchUpSince = -Infinity
  #seen: { readonly now: number; readonly monotonic: number }

  constructor(options: DaemonOptions) {
    const { clock, watchEveryMs = minuteMs } = options
    this.#options = options
    this.#watchEveryMs = watchEveryMs
    this.#waiting = new Waiting(options.pause)
    this.#seen = { now: clock.now(), monotonic: clock.monotonic() }
  }

  /** How much is being done at this moment: duties, and taking over a configuration. */
  get atWork(): number {
    return this.#working.size + (this.#isChanging ? 1 : 0)
  }

  get state(): DaemonState {
    return { lookedAt: this.#seen.now, running: this.#working.size, waiting: this.#waitingForRoom }
  }

  /**
   * Does what is due, when it is due, until `signal` is aborted; then it begins nothing more, lets what is being done
   * end within its grace, and cuts off the rest, which the next start begins again.
   *
   * @throws `daemon.running`; errors of the configuration and the catalog before it has begun. Nothing after that.
   */
  async serve(signal: AbortSignal): Promise<void> {
    const { clock, log, load } = this.#options
    const configuration = await load()
    const era = await this.#openFirst(configuration)
    if (!(await this.#takeOver(era, signal))) return await this.#close()
    this.#catchUpSince = clock.now()
    await this.#settleConfiguration(era)
    log.info('The daemon has begun', { projects: configuration.projects.length, state: configuration.state })
    const rest = new AbortController()
    const changing = this.#followChanges(AbortSignal.any([signal, rest.signal]))
    try {
      await this.#listen()
      while (!signal.aborted) {
        const at = await this.#beginWhatIsDue(() => true)
        if (signal.aborted) break
        const ms = Math.min(Math.max(at - clock.now(), 1), this.#watchEveryMs)
        await this.#waiting.wait(ms, signal)
      }
      await this.#stop()
    } finally {
      rest.abort()
      await changing
      await this.#close()
      log.info('The daemon has stopped')
    }
  }

  /**
   * Does once what is due now, and what becomes due by it, and ends. Nothing is done twice, not even what failed. Where another
   * process does it already, nothing is done.
   *
   * @throws errors of the configuration and the catalog; the signal's reason.
   */
  async performDue(signal: AbortSignal): Promise<DueResult> {
    const { clock, load } = this.#options
    const { services } = await this.#openFirst(await load())
    const reports: DutyReport[] = []
    const stop = (): void => this.#cut.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      const busy = await services.catalog.duties.take('run', clock.now())
      if (busy) return { busy }
      this.#isKeeper = true
      const done = new Set<string>()
      const once = (isOften: boolean) => (key: string, duty: Duty) =>
        !signal.aborted && (duty.judge === 'often') === isOften && !done.has(key) && Boolean(done.add(key))
      const keep = (report: DutyReport): void => void reports.push(report)
      for (const isOften of [false, true]) {
        do {
          await this.#beginWhatIsDue(once(isOften), keep)
          await this.#nextEnd()
        } while (this.#working.size > 0 || this.#waiting.takeStir())
      }
      signal.throwIfAborted()
      return { reports }
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#allEnded()
      await this.#close()
    }
  }

  async #openFirst(configuration: Configuration): Promise<Era> {
    this.#era = new Era(configuration, await this.#options.open(configuration))
    return this.#era
  }

  /** @returns false when it was stopped before. @throws `daemon.running`. */
  async #takeOver({ services }: Era, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#options
    for (let isTold = false; !signal.aborted; isTold = true) {
      const other = await services.catalog.duties.take('serve', clock.now())
      if (!other) return (this.#isKeeper = true)
      const since = new Date(other.since).toISOString()
      if (other.verb === 'serve') {
        await this.#close()
        throw daemonError('daemon.running', { pid: other.pid, host: other.host, since })
      }
      if (!isTold) log.info('Waiting for `bewaar run --due` to end', { pid: other.pid, since })
      await this.#waiting.wait(keeperPauseMs, signal)
    }
    return false
  }

  /**
   * Begins what is due, may be begun and is wanted.
   *
   * @returns when to look again, unless something ends before.
   */
  async #beginWhatIsDue(
    isWanted: (key: string, duty: Duty) => boolean,
    onEnd: (report: DutyReport) => void = () => {},
  ): Promise<number> {
    this.#waiting.takeStir()
    this.#noticeJump()
    const era = this.#era!
    era.enter()
    try {
      return await this.#beginIn(era, isWanted, onEnd)
    } finally {
      await this.#leave(era)
    }
  }

  async #beginIn(
    era: Era,
    isWanted: (key: string, duty: Duty) => boolean,
    onEnd: (report: DutyReport) => void,
  ): Promise<number> {
    const { clock, duties } = this.#options
    let nextAt = Infinity
    let waiting = 0
    for (const duty of duties) {
      for (const [position, subject] of duty.about(era.configuration).entries()) {
        const key = JSON.stringify([duty.kind, subject])
        if (this.#working.has(key)) continue
        const known = this.#lookAt.get(key)
        const due =
          known !== undefined && known > clock.now() ? notDue(known) : await this.#judge(era, duty, subject, key)
        if (this.#era !== era || this.#waiting.isStirred) return clock.now()
        if (!due.isDue) {
          this.#lookAt.set(key, due.at)
          nextAt = Math.min(nextAt, due.at)
          continue
        }
        const at = Math.max(catchUpAt(due.slot, this.#catchUpSince, position), this.#notBefore.get(key) ?? -Infinity)
        if (at > clock.now()) {
          this.#lookAt.set(key, at)
          nextAt = Math.min(nextAt, at)
        } else if (!this.#hasRoom(duty, subject)) waiting++
        else if (isWanted(key, duty)) this.#begin(era, duty, subject, due, key, onEnd)
      }
    }
    this.#waitingForRoom = waiting
    return nextAt
  }

  async #judge(era: Era, duty: Duty, subject: DutySubject, key: string): Promise<Due> {
    const { clock, log } = this.#options
    if (duty.judge === 'often') return { isDue: true, slot: clock.now(), attempt: 1 }
    try {
      return await duty.judge(era.services, subject)
    } catch (thrown) {
      log.error('Nobody knows whether this is due', { duty: duty.kind, ...subject, reason: textOf(thrown) }, thrown)
      this.#notBefore.set(key, clock.now() + leastRetryMs)
      return notDue(clock.now() + leastRetryMs)
    }
  }

  /** Other heavy duties than runs leave room for one, so that a long one keeps no backup from being made. */
  #hasRoom(duty: Duty, { project }: DutySubject): boolean {
    if (!duty.isHeavy) return true
    const heavy = [...this.#working.values()].filter((work) => work.duty.isHeavy)
    if (project !== undefined && heavy.some((work) => work.project === project)) return false
    const { atOnce } = this.#era!.configuration.serve
    if (heavy.length >= atOnce) return false
    const others = heavy.filter((work) => work.duty.kind !== 'run').length
    return duty.kind === 'run' || others < Math.max(1, atOnce - 1)
  }

  #begin(
    era: Era,
    duty: Duty,
    subject: DutySubject,
    due: Due & { isDue: true },
    key: string,
    onEnd: (report: DutyReport) => void,
  ): void {
    const ended = this.#perform(era, duty, subject, due).then(async (report) => {
      const now = this.#options.clock.now()
      this.#working.delete(key)
      this.#lookAt.delete(key)
      if (duty.judge === 'often') this.#lookAt.set(key, now + this.#watchEveryMs)
      else if (duty.isHeavy) this.#lookAgainAt(subject)
      const isWell = report.outcome === 'done' || report.outcome === 'incomplete'
      if (isWell) this.#notBefore.delete(key)
      else this.#notBefore.set(key, now + leastRetryMs)
      onEnd(report)
      await this.#leave(era)
      this.#waiting.stir()
    })
    this.#working.set(key, { duty, project: subject.project, ended })
  }

  /** What was done to a project may make other things due, and what is watched has changed. */
  #lookAgainAt({ project }: DutySubject): void {
    for (const key of this.#lookAt.keys()) {
      const [kind, other] = JSON.parse(key) as [string, DutySubject]
      const isOften = this.#options.duties.some((duty) => duty.kind === kind && duty.judge === 'often')
      if (isOften || other.project === project) this.#lookAt.delete(key)
    }
  }

  /** Never rejects. */
  async #perform(era: Era, duty: Duty, subject: DutySubject, due: Due & { isDue: true }): Promise<DutyReport> {
    const { clock, log } = this.#options
    const began = clock.monotonic()
    const { kind } = duty
    const facts = { duty: kind, ...subject }
    const isQuiet = duty.judge === 'often'
    const { slot, attempt } = due
    log[isQuiet ? 'debug' : 'info'](`${nameOf(kind, subject)} begins`, {
      ...facts,
      ...(!isQuiet && { slot: new Date(slot).toISOString() }),
      ...(attempt > 1 && { attempt }),
    })
    era.enter()
    const end = (outcome: DutyReport['outcome'], text: string, thrown?: unknown): DutyReport => {
      const seconds = (clock.monotonic() - began) / 1000
      const about = { ...facts, outcome, seconds: Math.round(seconds * 1000) / 1000, ...(text !== '' && { text }) }
      const line = `${nameOf(kind, subject)} ${outcome}`
      if (outcome === 'failed') log.error(line, about, thrown)
      else if (outcome === 'done') log[isQuiet ? 'debug' : 'info'](line, about)
      else log.warn(line, about)
      return { kind, ...subject, slot, outcome, seconds, text }
    }
    try {
      const { outcome, text } = await duty.perform(era.services, subject, slot, this.#cut.signal)
      return end(outcome, text)
    } catch (thrown) {
      if (this.#cut.signal.aborted) return end('cancelled', 'it was cut off, and is begun again')
      // because somebody else does it, and it will be judged again
      if (thrown instanceof AppError && thrown.kind === 'locked') return end('cancelled', thrown.message)
      return end('failed', textOf(thrown), thrown)
    }
  }

  /** A clock that was put back makes other moments the next ones; after a sleep many things are due at once. */
  #noticeJump(): void {
    const { clock, log } = this.#options
    const [now, monotonic] = [clock.now(), clock.monotonic()]
    const jumpedMs = now - this.#seen.now - (monotonic - this.#seen.monotonic)
    this.#seen = { now, monotonic }
    if (Math.abs(jumpedMs) < sleptMs) return
    log.warn('The clock was set, or the machine slept', { seconds: Math.round(jumpedMs / 1000) })
    this.#lookAt.clear()
    this.#notBefore.clear()
    if (this.#catchUpSince > -Infinity) this.#catchUpSince = jumpedMs > 0 ? now : Math.min(this.#catchUpSince, now)
  }

  async #followChanges(signal: AbortSignal): Promise<void> {
    const { whenChanged, log } = this.#options
    if (!whenChanged) return
    try {
      while (!signal.aborted) {
        await whenChanged(this.#era!.configuration, signal)
        this.#isChanging = true
        await this.#takeConfiguration()
        this.#isChanging = false
        this.#waiting.stir()
      }
    } catch (thrown) {
      if (!signal.aborted) log.error('Changes of the configuration are not seen any more', {}, thrown)
    }
  }

  /** One that is broken is told, and the one before goes on. */
  async #takeConfiguration(): Promise<void> {
    const { clock, load, log, open } = this.#options
    const before = this.#era!
    let era: Era
    try {
      const configuration = await load()
      if (configuration.state !== before.configuration.state) {
        throw daemonError('daemon.other-state', { before: before.configuration.state, after: configuration.state })
      }
      era = new Era(configuration, await open(configuration))
    } catch (thrown) {
      const text = `The configuration was changed and is refused; the one before goes on: ${textOf(thrown)}`
      log.error(text, {}, thrown)
      await logged(before.services, { time: clock.now(), kind: 'serve', level: 'error', text })
      await this.#settleConfiguration(before, textOf(thrown))
      return
    }
    this.#era = era
    this.#lookAt.clear()
    this.#notBefore.clear()
    log.info('The configuration was changed and is taken', { projects: era.configuration.projects.length })
    const text = 'The configuration was changed and is taken'
    await logged(era.services, { time: clock.now(), kind: 'serve', level: 'info', text })
    await this.#settleConfiguration(era)
    await before.end()
    await this.#listen()
  }

  /** @param refusal - why a changed one is refused; absent when the one in use is what is there. */
  async #settleConfiguration({ services, configuration }: Era, refusal?: string): Promise<void> {
    const advice = 'Run `bewaar config check`; until it is right, the one before goes on.'
    const text = `the configuration was changed and is refused: ${refusal}`
    const ranks = configuration.projects.map(({ criticality }) => criticalities.indexOf(criticality))
    const criticality = criticalities[Math.min(...ranks)] ?? 'medium'
    const trouble: SeenTrouble = { kind: 'configuration', criticality, text, advice }
    try {
      await settleTroubles(services, ['configuration'], refusal === undefined ? [] : [trouble])
    } catch (thrown) {
      this.#options.log.error('What is wrong with the configuration could not be recorded', {}, thrown)
    }
  }

  /** Once more when the configuration has changed. Nothing that is done depends on it. */
  async #listen(): Promise<void> {
    const { listen, log } = this.#options
    try {
      await this.#listening?.[Symbol.asyncDispose]()
      this.#listening = undefined
      this.#listening = await listen?.(() => this.#era!.services, log)
    } catch (thrown) {
      log.error(`Nothing answers over the network: ${textOf(thrown)}`, {}, thrown)
    }
  }

  async #leave(era: Era): Promise<void> {
    try {
      await era.leave()
    } catch (thrown) {
      this.#options.log.error('What the configuration before used could not be closed', {}, thrown)
    }
  }

  async #nextEnd(): Promise<void> {
    if (this.#working.size > 0) await Promise.race([...this.#working.values()].map(({ ended }) => ended))
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#working.values()].map(({ ended }) => ended))
  }

  async #stop(): Promise<void> {
    const { graceMs = minuteMs, log, pause } = this.#options
    if (this.#working.size === 0) return
    log.info('The daemon waits for what is being done', { duties: this.#working.size, seconds: graceMs / 1000 })
    const rest = new AbortController()
    const isOver = pause(graceMs, rest.signal).then(
      () => true,
      () => false,
    )
    const ended = this.#allEnded()
    if (await Promise.race([isOver, ended.then(() => false)])) {
      this.#cut.abort(daemonError('daemon.stopped', { seconds: graceMs / 1000 }))
    }
    rest.abort()
    await ended
  }

  async #close(): Promise<void> {
    await this.#listening?.[Symbol.asyncDispose]()
    this.#listening = undefined
    const era = this.#era
    this.#era = undefined
    if (!era) return
    if (this.#isKeeper) await era.services.catalog.duties.letGo()
    this.#isKeeper = false
    await era.end()
  }
}

function notDue(at: number): Due {
  return { isDue: false, at }
}

function nameOf(kind: Duty['kind'], subject: DutySubject): string {
  return `${kind} of ${describeSubject(subject)}`
}

async function logged({ catalog }: Services, entry: Parameters<Services['catalog']['log']['add']>[0]): Promise<void> {
  await catalog.log.add(entry).catch(() => {}) // because it is in the log of the service already
}
