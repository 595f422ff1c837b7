import { AppError } from '#base'
import type { Finding } from '#model'

/** What came of some questions. */
export interface Answer {
  /** How many there were. */
  readonly questions: number
  /** Rows that were counted in databases. */
  readonly rows: number
  readonly findings: readonly Finding[]
  /** What could not be asked here, which says nothing of the backup. */
  readonly impossible: readonly Finding[]
}

export const nothing: Answer = { questions: 0, rows: 0, findings: [], impossible: [] }

export function answer(questions: number, findings: readonly Finding[], rows = 0): Answer {
  return { questions, rows, findings, impossible: [] }
}

export function joined(answers: readonly Answer[]): Answer {
  return {
    questions: answers.reduce((sum, one) => sum + one.questions, 0),
    rows: answers.reduce((sum, one) => sum + one.rows, 0),
    findings: answers.flatMap((one) => one.findings),
    impossible: answers.flatMap((one) => one.impossible),
  }
}

export function damage(subject: string, text: string): Finding {
  return { subject, severity: 'damage', text }
}

export function warning(subject: string, text: string): Finding {
  return { subject, severity: 'warning', text }
}

export function notice(subject: string, text: string): Finding {
  return { subject, severity: 'notice', text }
}

export function impossible(subject: string, text: string): Answer {
  return { ...nothing, impossible: [warning(subject, text)] }
}

/** What a restored database refuses to answer is wrong with it. */
export async function unlessRefused(subject: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (thrown) {
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return answer(1, [damage(subject, `it cannot be questioned: ${reason}`)])
  }
}

const longestReason = 400

/** The words of a program that failed, on one line; undefined for anything else that was thrown. */
export function reasonOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof AppError) || thrown.code !== 'program.failed') return undefined
  const lines = String(thrown.facts['stderr']).split('\n')
  const told = lines.map((line) => line.trim().replace(/^(?:psql|pg_restore):(?:<stdin>:\d+:)?\s*(?:error: )?/, ''))
  const meant = told.filter((line) => line !== '' && !/^(?:-+$|NOTICE:|WARNING:)/.test(line)).join(' ')
  // because the client of MariaDB repeats the statement before it says what is wrong with it
  return meant
    .replace(/^.*(?=ERROR \d+ \()/s, '')
    .replace(/^ERROR:\s+/, '')
    .slice(0, longestReason)
}
