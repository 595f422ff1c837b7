import type { Language } from '#model'
import type { Gravity } from '../channel.ts'
import { plainLines } from '../plain.ts'
import type { Step } from './texts.ts'

/** What is told of one incident, in words, every one of them on one line but for the steps. */
export interface AlarmView {
  readonly title: string
  readonly about: string
  readonly gravity: Gravity
  readonly meaning: readonly string[]
  readonly facts: readonly (readonly [label: string, value: string])[]
  readonly steps: readonly Step[]
}

/** A whole message in words: one trouble with all that is known of it, or a list. */
export interface AlarmPage {
  readonly language: Language
  readonly gravity: Gravity
  readonly subject: string
  readonly heading: string
  readonly introduction: string
  readonly single: AlarmView | undefined
  readonly list: readonly AlarmView[]
  /** `and 12 more`; empty when all are there. */
  readonly others: string
  readonly steps: readonly Step[]
  readonly whatToDo: string
  readonly footer: string
}

/** The page as lines of plain text. */
export function alarmText(page: AlarmPage): string {
  const { heading, introduction, single, list, others, steps, whatToDo, footer } = page
  const widest = Math.max(0, ...(single?.facts ?? []).map(([label]) => label.length))
  const lines = [
    heading,
    '',
    introduction,
    '',
    ...(single ? [...single.facts.map(([label, value]) => `${`${label}:`.padEnd(widest + 1)} ${value}`), ''] : []),
    ...list.flatMap(({ title, about, facts }) => [`- ${about}: ${title}`, `  ${facts[0]![1]}`]),
    ...(others === '' ? [] : [others]),
    ...(list.length > 0 ? [''] : []),
    ...(steps.length === 0 ? [] : [whatToDo, '']),
    ...steps.flatMap(({ text, commands }, index) => [
      `${index + 1}. ${text}`,
      ...commands.map((command) => `   ${command}`),
    ]),
    ...(steps.length === 0 ? [] : ['']),
    footer,
  ]
  return plainLines(`${lines.join('\n')}\n`, 200_000)
}
