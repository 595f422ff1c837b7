import type * as CommanderModule from 'commander'
import type { Command as Commander, CommanderError, Option } from 'commander'

import { AppError, nearest, Secret, systemClock } from '#base'
import type { Command, CommandEntry, InputItem, Outcome } from './command.ts'
import type { CommandContext, CommandServices, GlobalOptions } from './context.ts'
import { cliError } from './errors.ts'
import { exit, exitCodeOf, type ExitCode } from './exit-codes.ts'
import { ProgressDisplay } from './progress.ts'
import { Refusal } from './refusal.ts'
import { errorToJson, renderError } from './render-error.ts'
import { printable, type Terminal } from './terminal.ts'

/** What a command line is run with. */
export interface Setup {
  readonly entries: readonly CommandEntry[]
  readonly terminal: Terminal
  readonly version: string
  readonly services: (options: GlobalOptions) => CommandServices
}

/**
 * Runs one command line, without the program's name, and shows what comes of it. Only the module of its own verb is
 * loaded.
 *
 * @returns the exit code. It never throws.
 */
export async function runCommandLine(args: readonly string[], setup: Setup, signal: AbortSignal): Promise<ExitCode> {
  const { terminal } = setup
  let options: GlobalOptions = { json: args.includes('--json'), quiet: false, verbose: false }
  const progress = new ProgressDisplay(terminal, systemClock)
  try {
    const request = await parse(args, setup)
    if (typeof request === 'string') {
      await terminal.out(request)
      return exit.done
    }
    options = request.options
    const context = createContext(setup, options, progress)
    const outcome = await request.command.perform(context, request.input, signal)
    if (!request.command.isEndedByInterrupt) signal.throwIfAborted()
    progress.clear()
    await show(outcome, options, terminal)
    return outcome.exitCode
  } catch (thrown) {
    progress.clear()
    const error = signal.aborted && !(thrown instanceof AppError) ? signal.reason : thrown
    if (options.json) terminal.err(`${JSON.stringify(errorToJson(error))}\n`)
    else terminal.err(renderError(error, { colour: wantsColour(terminal), verbose: options.verbose }))
    return exitCodeOf(error)
  }
}

function wantsColour(terminal: Terminal): boolean {
  return terminal.errColumns !== undefined && !process.env['NO_COLOR']
}

async function show(outcome: Outcome, options: GlobalOptions, terminal: Terminal): Promise<void> {
  if (options.json) return terminal.out(`${JSON.stringify(outcome.json(), null, 2)}\n`)
  const lines = outcome.lines({ width: terminal.outColumns ?? Infinity })
  if (lines.length > 0) await terminal.out(printable(`${lines.join('\n')}\n`))
}

async function writeOut(terminal: Terminal, stream: AsyncIterable<Uint8Array>): Promise<void> {
  if (terminal.outColumns !== undefined || !terminal.outBytes) throw cliError('cli.no-pipe', {})
  for await (const piece of stream) await terminal.outBytes(piece)
}

function createContext(setup: Setup, options: GlobalOptions, progress: ProgressDisplay): CommandContext {
  const { terminal } = setup
  const say = (text: string): void => {
    progress.clear()
    terminal.err(`${printable(text)}\n`)
  }
  const ask = async (
    question: string,
    about: readonly string[] = [],
    isHidden = false,
  ): Promise<string | undefined> => {
    if (options.json) return undefined
    progress.clear()
    return await terminal.ask([...about, question].map(printable).join('\n'), isHidden)
  }
  return {
    completionScript: async (shell) => (await import('./completion.ts')).completionScript(shell, setup.entries),
    services: setup.services(options),
    options,
    writeOut: (stream) => writeOut(terminal, stream),
    progress: options.quiet || options.json ? () => {} : (report) => progress.report(report),
    note: options.quiet || options.json ? () => {} : say,
    warn: options.json ? (text) => terminal.err(`${JSON.stringify({ warning: text })}\n`) : say,
    canAsk: !options.json && (terminal.canAsk ?? false),
    confirm: async (question, about) => {
      const answer = await ask(`${question} [y/N] `, about)
      return answer === undefined ? undefined : /^(y|yes|j|ja)$/i.test(answer.trim())
    },
    ask: async (question, about) => (await ask(`${question} `, about))?.trim(),
    askSecret: async (question, about) => {
      const answer = await ask(`${question} `, about, true)
      return answer === undefined ? undefined : new Secret(answer)
    },
  }
}

interface Request {
  readonly command: Command
  readonly options: GlobalOptions
  readonly input: Readonly<Record<string, unknown>>
}

/** @returns what to run, or a text to print instead: help or version. @throws `cli.usage`. */
async function parse(args: readonly string[], setup: Setup): Promise<Request | string> {
  const commander = await import('commander')
  const entry = findEntry(args, setup.entries)
  const root = new commander.Command('bewaar')
  let printed = ''
  let request: Request | undefined
  root
    .exitOverride()
    .configureOutput({ writeOut: (text) => (printed += text), writeErr: () => {}, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true, helpWidth: setup.terminal.outColumns ?? 100 })
    .description('Backs up web projects into encrypted restic repositories, and proves that they can be restored.')
    .usage('<verb> [options]')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [verb]', 'show the help of a verb')
    .version(`bewaar ${setup.version}`, '-V, --version', 'show the version')
    .option('--config <FILE>', 'configuration file; default: the first of the usual places')
    .option('--json', 'print the result as one JSON document')
    .option('-q, --quiet', 'no progress and no notes')
    .option('-v, --verbose', 'say more about what is done, and why something failed')
    .addHelpText('after', '\nExamples:\n  $ bewaar config check\n  $ bewaar run --project=shop\n')

  for (const one of setup.entries) {
    const parent = parentOf(root, one)
    const verb = parent.command(one.name.split(' ').at(-1)!, { hidden: one.hidden ?? false }).description(one.summary)
    if (one !== entry) continue
    const command = await one.load()
    describeInput(verb, command, commander)
    verb.action(() => {
      request = { command, options: globalOptions(root), input: readInput(verb, command) }
    })
  }

  try {
    if (findVerb(args).length === 0) root.action(() => {})
    await root.parseAsync([...args], { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof commander.CommanderError) {
      if (thrown.exitCode === 0) return printed
      if (thrown.code === 'commander.help') {
        const [verb = ''] = findVerb(args)
        const words = setup.entries.flatMap(({ name }) =>
          name.startsWith(`${verb} `) ? [name.slice(verb.length + 1)] : [],
        )
        const advice = `Run \`bewaar ${verb} ${words[0]} --help\` for what it takes.`
        throw cliError('cli.usage', { message: `${verb} needs a word behind it: ${words.join(' or ')}`, advice })
      }
      throw usageError(thrown, args, setup.entries, entry, optionNames(root, entry))
    }
    throw thrown
  }
  if (!request) {
    const advice = 'Run `bewaar --help` to see the verbs.'
    throw cliError('cli.usage', { message: 'No verb was given', advice })
  }
  const refusal = request.command.check(request.input)
  if (refusal !== undefined) throw cliError('cli.usage', { message: refusal, advice: adviceFor(entry) })
  return request
}

/** The words of a command line that are no options, without a leading `help`. */
function findVerb(args: readonly string[]): string[] {
  const words: string[] = []
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    if (word === '--') break
    if (word === '--config') index++
    else if (!word.startsWith('-')) words.push(word)
  }
  return words[0] === 'help' ? words.slice(1) : words
}

function findEntry(args: readonly string[], entries: readonly CommandEntry[]): CommandEntry | undefined {
  const [first, second] = findVerb(args)
  return entries.find(({ name }) => name === `${first} ${second}`) ?? entries.find(({ name }) => name === first)
}

function parentOf(root: Commander, entry: CommandEntry): Commander {
  const [first, second] = entry.name.split(' ')
  if (second === undefined) return root
  return root.commands.find((command) => command.name() === first) ?? root.command(first!)
}

function globalOptions(root: Commander): GlobalOptions {
  const { config, json, quiet, verbose } = root.opts<{
    config?: string
    json?: boolean
    quiet?: boolean
    verbose?: boolean
  }>()
  return {
    ...(config === undefined ? {} : { config }),
    json: json ?? false,
    quiet: quiet ?? false,
    verbose: verbose ?? false,
  }
}

/** All options that may stand in a command line of `entry`. */
function optionNames(root: Commander, entry: CommandEntry | undefined): string[] {
  const verb = entry?.name
    .split(' ')
    .reduce<Commander | undefined>((parent, word) => parent?.commands.find((command) => command.name() === word), root)
  return [...root.options, ...(verb?.options ?? [])].flatMap(({ long }) => (long ? [long] : [])).concat('--help')
}

function describeInput(verb: Commander, command: Command, commander: typeof CommanderModule): void {
  verb.allowExcessArguments(false)
  for (const item of Object.values(command.input)) {
    if (item.kind === 'positional' || item.kind === 'words') {
      const name = item.kind === 'words' ? `[${item.name}...]` : `<${item.name}>`
      verb.addArgument(new commander.Argument(name, item.help).argParser(reader(item, commander)))
    } else {
      verb.addOption(toOption(item, commander))
    }
  }
  if (command.examples.length > 0) {
    verb.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  $ ${example}\n`).join('')}`)
  }
}

function toOption(item: InputItem<unknown>, commander: typeof CommanderModule): Option {
  const value = item.parser ? ` <${item.parser.placeholder}>` : ''
  const isTold = item.kind === 'option' && item.fallback !== undefined
  const help = isTold
    ? `${item.help} (default: ${item.parser?.show?.(item.fallback) ?? JSON.stringify(item.fallback)})`
    : item.help
  const flags = `${item.short ? `${item.short}, ` : ''}${item.name}${value}`
  const option = new commander.Option(flags, item.kind === 'options' ? `${help}; may be repeated` : help)
  if (item.parser) option.argParser(reader(item, commander))
  if (item.required) option.makeOptionMandatory()
  return option
}

function reader(
  item: InputItem<unknown>,
  commander: typeof CommanderModule,
): (text: string, before: unknown) => unknown {
  return (text, before) => {
    if (item.kind === 'option' && before !== undefined) throw new commander.InvalidArgumentError(': it is there twice')
    try {
      const value = item.parser!.parse(text)
      return item.kind === 'options' || item.kind === 'words'
        ? [...((before as unknown[] | undefined) ?? []), value]
        : value
    } catch (error) {
      if (error instanceof Refusal) throw new commander.InvalidArgumentError(`: ${error.message}`)
      throw error
    }
  }
}

function readInput(verb: Commander, command: Command): Record<string, unknown> {
  const options = verb.opts()
  const words = [...(verb.processedArgs as unknown[])]
  const entries = Object.entries(command.input).map(([key, item]) => {
    if (item.kind === 'positional' || item.kind === 'words') return [key, words.shift() ?? item.fallback] as const
    const attribute = verb.options.find((option) => option.long === item.name)!.attributeName()
    return [key, (options[attribute] as unknown) ?? item.fallback] as const
  })
  return Object.fromEntries(entries)
}

function adviceFor(entry: CommandEntry | undefined): string {
  return entry ? `Run \`bewaar ${entry.name} --help\` for what it takes.` : 'Run `bewaar --help` to see the verbs.'
}

/** Turns what commander says into one sentence and one advice. */
function usageError(
  error: CommanderError,
  args: readonly string[],
  entries: readonly CommandEntry[],
  entry: CommandEntry | undefined,
  options: readonly string[],
): AppError {
  const text = error.message.split('\n', 1)[0]!.replace(/^error: /, '')
  const words = findVerb(args)
  const isUnknownVerb = error.code === 'commander.unknownCommand' || error.code === 'commander.excessArguments'
  if (isUnknownVerb && words.length > 0) {
    const known = entries.filter(({ hidden }) => !hidden).map(({ name }) => name)
    const isGroup = entry?.name.includes(' ') !== true && known.some((name) => name.startsWith(`${words[0]} `))
    if (!entry || isGroup) {
      const verb = words.slice(0, isGroup ? 2 : 1).join(' ')
      const near = nearest(verb, known)
      const advice = near ? `Did you mean \`bewaar ${near}\`?` : 'Run `bewaar --help` to see the verbs.'
      return cliError('cli.usage', { message: `There is no verb ${JSON.stringify(verb)}`, advice }, error)
    }
  }
  const sentence = text.replace(/\.$/, '').replace(/( is invalid(?: for argument '[^']*')?)\. :/, '$1:')
  const message = sentence.charAt(0).toUpperCase() + sentence.slice(1)
  const unknown = /^unknown option '(--[^'=]+)/.exec(text)?.[1]
  const like = unknown === undefined ? undefined : nearest(unknown, options)
  const advice = like ? `Did you mean ${like}?` : adviceFor(entry)
  return cliError('cli.usage', { message, advice }, error)
}
