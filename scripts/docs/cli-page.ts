import { commandTable, runCommandLine, type Terminal } from '#cli'
import { generatedPage, page } from './markdown.ts'

/** The help of every verb, as the program prints it. */
export async function cliPage(): Promise<string> {
  const verbs = commandTable.filter(({ hidden }) => !hidden)
  const sections: string[] = []
  for (const { name, summary } of verbs) {
    sections.push(`## bewaar ${name}`, '', `${summary}.`, '', ...block(await help(name.split(' '))))
  }
  return page([...generatedPage('The command line', introduction), ...block(await help([])), ...sections])
}

const introduction = `Results go to standard output, progress and messages to standard error. What each exit code means stands in
[exit codes](../operate/exit-codes.md).`

function block(text: string): string[] {
  return ['```', text.trimEnd(), '```', '']
}

async function help(verb: readonly string[]): Promise<string> {
  let printed = ''
  const terminal: Terminal = {
    out: async (text) => void (printed += text),
    err: (text) => void (printed += text),
    ask: async () => undefined,
    outColumns: undefined,
    errColumns: undefined,
  }
  const setup = { entries: commandTable, terminal, version: '', services: unused }
  const code = await runCommandLine([...verb, '--help'], setup, new AbortController().signal)
  if (code !== 0) throw new Error(`bewaar ${verb.join(' ')} --help ended with ${code}: ${printed}`)
  return printed
}

function unused(): never {
  throw new Error('help needs no services')
}
