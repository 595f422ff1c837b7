import type { CommandContext } from './context.ts'
import { exit, type ExitCode } from './exit-codes.ts'
import type { Parser } from './parsers.ts'

/** One thing that a person may write behind a verb. */
export interface InputItem<T> {
  readonly kind: 'flag' | 'option' | 'options' | 'positional' | 'words'
  /** `--dry-run`; of a positional, its name. */
  readonly name: string
  readonly short?: string
  readonly help: string
  readonly parser?: Parser<unknown>
  readonly fallback?: T
  readonly required: boolean
}

type InputShape = Readonly<Record<string, InputItem<unknown>>>
type Values<Shape extends InputShape> = {
  readonly [Key in keyof Shape]: Shape[Key] extends InputItem<infer T> ? T : never
}

/** What a renderer may want to know of the place where its lines are read. */
export interface View {
  /** Columns of the terminal; no limit where it is none. */
  readonly width: number
}

export interface CommandDefinition<Shape extends InputShape, Result> {
  /** Whole command lines, for the help. */
  readonly examples: readonly string[]
  readonly input: Shape
  /** Says why these values do not go together, or nothing. */
  readonly check?: (input: Values<Shape>) => string | undefined
  readonly run: (context: CommandContext, input: Values<Shape>, signal: AbortSignal) => Promise<Result>
  /** The result for people, line by line, without line ends. */
  readonly render: (result: Result, view: View) => readonly string[]
  /** The result for programs, if it is not the result itself. */
  readonly json?: (result: Result) => unknown
  /** Default: done. */
  readonly exitCode?: (result: Result) => ExitCode
  /** It goes on until it is interrupted, so that this is no failure. */
  readonly isEndedByInterrupt?: boolean
}

/** A command whose types are sealed in, so that the table can hold all of them. */
export interface Command {
  readonly examples: readonly string[]
  readonly isEndedByInterrupt: boolean
  readonly input: InputShape
  readonly check: (input: Readonly<Record<string, unknown>>) => string | undefined
  readonly perform: (
    context: CommandContext,
    input: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) => Promise<Outcome>
}

/** What a command came to, ready to be shown either way. */
export interface Outcome {
  readonly exitCode: ExitCode
  readonly lines: (view: View) => readonly string[]
  readonly json: () => unknown
}

/** Makes a command a value: `--json`, `--help`, completion and the reference page all come from it. */
export function defineCommand<const Shape extends InputShape, Result>(
  definition: CommandDefinition<Shape, Result>,
): Command {
  const { examples, input, check, run, render, json, exitCode, isEndedByInterrupt = false } = definition
  return {
    examples,
    isEndedByInterrupt,
    input,
    check: (values) => check?.(values as Values<Shape>),
    perform: async (context, values, signal) => {
      const result = await run(context, values as Values<Shape>, signal)
      return {
        exitCode: exitCode?.(result) ?? exit.done,
        lines: (view) => render(result, view),
        json: () => (json ? json(result) : result),
      }
    },
  }
}

interface Texts {
  readonly help: string
  readonly short?: string
}

/** `--dry-run`: true when it is there. */
export function flag(name: string, texts: Texts): InputItem<boolean> {
  return { kind: 'flag', name, required: false, fallback: false, ...texts }
}

/** `--limit 20`, at most once; undefined, or the fallback, when it is absent. */
export function option<T>(name: string, parser: Parser<T>, texts: Texts & { readonly required: true }): InputItem<T>
export function option<T>(name: string, parser: Parser<T>, texts: Texts & { readonly fallback: T }): InputItem<T>
export function option<T>(name: string, parser: Parser<T>, texts: Texts): InputItem<T | undefined>
export function option<T>(
  name: string,
  parser: Parser<T>,
  texts: Texts & { readonly fallback?: T; readonly required?: boolean },
): InputItem<T | undefined> {
  return { kind: 'option', name, parser, ...texts, required: texts.required ?? false }
}

/** `--project a --project b`: as often as wanted; an empty list when it is absent. */
export function options<T>(name: string, parser: Parser<T>, texts: Texts): InputItem<readonly T[]> {
  return { kind: 'options', name, parser, required: false, fallback: [], ...texts }
}

/** A word without a dash. */
export function positional<T>(name: string, parser: Parser<T>, texts: Texts): InputItem<T> {
  return { kind: 'positional', name, parser, required: true, ...texts }
}

/** Any number of words without a dash; an empty list when there are none. */
export function words<T>(name: string, parser: Parser<T>, texts: Texts): InputItem<readonly T[]> {
  return { kind: 'words', name, parser, required: false, fallback: [], ...texts }
}

/** A check: says so when more than one of these was given. */
export function atMostOne(given: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined || value === false ? [] : [name]))
  return names.length > 1 ? `${names.join(' and ')} exclude each other` : undefined
}

/** One line of the table of commands: enough for the list in the help, and a way to load the rest. */
export interface CommandEntry {
  /** One or two words: `run`, `config check`. */
  readonly name: string
  readonly summary: string
  /** Not in the help, for scripts of ours. */
  readonly hidden?: boolean
  readonly load: () => Promise<Command>
}
