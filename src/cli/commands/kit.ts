import { resolve } from 'node:path'

import { getVault, languages, type KitRecord } from '#model'
import { makeKit, recordKit, type MadeKit } from '#usecases'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { cliError } from '../errors.ts'
import { file, oneOf, shareNumbers, vaultName } from '../parsers.ts'

interface Result {
  readonly kit: KitRecord
  /** Absolute; none when it was printed. */
  readonly files: readonly string[]
  /** What is printed in the place of a file. */
  readonly page?: string
}

export const kit = defineCommand({
  examples: [
    'bewaar kit   # the password is written on it by hand, or kept elsewhere',
    'bewaar kit --with-password --to=/dev/shm/kit.html',
    'bewaar kit --shares=2/3 --language=nl   # one paper for each of three people, two of whom are enough',
  ],
  input: {
    to: option('--to', file, { fallback: 'bewaar-kit.html', help: 'the HTML page to write; - is standard output' }),
    withPassword: flag('--with-password', { help: 'print the password on it: as it is, spelled, and for a camera' }),
    shares: option('--shares', shareNumbers, {
      help: 'split the password: so many of so many shares give it back; one page for each share',
    }),
    vaults: options('--vault', vaultName, { help: 'only this vault' }),
    language: option('--language', oneOf(languages), { help: 'of the paper; default: that of the configuration' }),
  },
  check: ({ to, withPassword, shares }) =>
    shares && to === '-'
      ? '--shares makes several pages, which cannot go to standard output'
      : atMostOne({ '--with-password': withPassword, '--shares': shares }),

  run: async (context, { to, withPassword, shares, vaults, language }, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    for (const name of vaults) getVault(configuration, name)
    await using opened = await context.services.open(configuration, context)
    const request = {
      form: withPassword ? 'password' : shares ? 'shares' : 'without',
      vaults,
      ...(shares && { shares }),
      ...(language && { language }),
    } as const
    const made = await makeKit(opened.services, request, signal)
    const files = to === '-' ? [] : await writePages(context, to, made)
    await recordKit(opened.services, made)
    const { pages, ...kit } = made
    return { kit, files, ...(to === '-' && { page: pages[0]! }) }
  },

  render: ({ kit, files, page }) => (page === undefined ? [...files, '', ...advice(kit)] : [page.trimEnd()]),

  json: ({ kit, files, page }) => ({
    ...kit,
    madeAt: new Date(kit.madeAt).toISOString(),
    files,
    ...(page !== undefined && { page }),
  }),
})

/** Never over a file that is there: it may be the only kit that there is. */
async function writePages({ services }: CommandContext, to: string, { pages }: MadeKit): Promise<string[]> {
  const base = resolve(to)
  const count = pages.length
  const files = pages.map((_, index) => (count === 1 ? base : numbered(base, index + 1, count)))
  const disk = await services.recoveryFiles()
  for (const path of files) if (await disk.isThere(path)) throw cliError('cli.kit-exists', { file: path })
  for (const [index, path] of files.entries()) {
    await disk.writeNew(path, once(Buffer.from(pages[index]!)))
  }
  return files
}

function numbered(path: string, number: number, count: number): string {
  const [, base = path, ending = ''] = /^(.*?)(\.html?)?$/.exec(path) ?? []
  return `${base}-${number}-of-${count}${ending}`
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

function advice({ form, shares }: KitRecord): string[] {
  const secret =
    form === 'without'
      ? ['The password is not on it: keep it where the server is not, and write on the paper where.']
      : ['What stands in it opens the vaults: print it, then remove the file (`shred -u`).']
  return [
    ...secret,
    ...(shares ? [`Give each of the ${shares.count} pages to another person; any ${shares.needed} are enough.`] : []),
    'Then prove it, on this machine or another: bewaar kit check',
  ]
}
