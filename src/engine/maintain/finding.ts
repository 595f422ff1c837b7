import { AppError } from '#base'

/**
 * `damage`: bytes are not what they must be, or something that a snapshot needs is gone or cannot be restored as it was.
 * `warning`: nothing is lost, but the repository is not as it must be. `notice`: worth knowing, harmless.
 */
export type Severity = 'notice' | 'warning' | 'damage'

/** Something that `check` or a copy saw; a value, not an error. */
export interface Finding {
  readonly severity: Severity
  /** What it is about: `pack 0123456789`, `index 0123456789`, `snapshot 0123456789: /srv/app/file`, `the config`. */
  readonly subject: string
  readonly text: string
}

/** So many findings are told in full; of a repository that is broken through and through the rest is only counted. */
const mostFindings = 10_000
/** So many files may fail to be read before the place itself counts as out of reach. */
const mostFailures = 32

/** Findings while they are collected. */
export class Findings {
  readonly #list: Finding[] = []
  readonly #leftOut = { notice: 0, warning: 0, damage: 0 }
  #failures = 0

  get count(): number {
    return this.#list.length + this.#leftOut.notice + this.#leftOut.warning + this.#leftOut.damage
  }

  add(severity: Severity, subject: string, text: string): void {
    if (this.#list.length < mostFindings) this.#list.push({ severity, subject, text })
    else this.#leftOut[severity]++
  }

  /**
   * Takes an error that is about one file of the repository as damage of that file.
   *
   * @throws what is no such error: a bug, a lost lock, and a place that fails again and again.
   */
  take(subject: string, thrown: unknown, signal?: AbortSignal): void {
    signal?.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    const { kind } = thrown
    if (kind === 'unavailable' || kind === 'denied') {
      if (++this.#failures > mostFailures) throw thrown
    } else if (kind !== 'damaged' && kind !== 'missing') {
      throw thrown
    }
    this.add('damage', subject, reasonOf(thrown))
  }

  list(): Finding[] {
    const all = [...this.#list]
    for (const severity of ['damage', 'warning', 'notice'] as const) {
      const count = this.#leftOut[severity]
      if (count > 0)
        all.push({ severity, subject: 'the repository', text: `has ${count} more findings of this severity` })
    }
    return all
  }
}

/** What an error says besides the name of the file, which the subject tells already. */
export function reasonOf(error: AppError): string {
  const { reason } = error.facts
  return error.kind === 'damaged' && typeof reason === 'string' ? `is damaged: ${reason}` : error.message
}
