import { getVault } from '#model'
import { checkKit, type CheckedVault, type KitCheckReport } from '#usecases'
import { askPassword } from '../ask-password.ts'
import { atMostOne, defineCommand, option, options } from '../command.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { lookAfter } from '../look-after.ts'
import { file, vaultName } from '../parsers.ts'
import { table } from '../table.ts'

export const kitCheck = defineCommand({
  examples: [
    'bewaar kit check   # asks for the password, or for the shares',
    'bewaar kit check --vault=storage-box',
    'bewaar kit check --share-file=one --share-file=three',
  ],
  input: {
    vaults: options('--vault', vaultName, { help: 'only this vault' }),
    passwordFile: option('--password-file', file, {
      help: 'the password as a person keeps it; default: it is asked for',
    }),
    shareFiles: options('--share-file', file, { help: 'a share of the password, one in each file' }),
  },
  check: ({ passwordFile, shareFiles }) =>
    atMostOne({ '--password-file': passwordFile, '--share-file': shareFiles.length > 0 }),

  run: async (context, { vaults, ...input }, signal): Promise<KitCheckReport> => {
    const configuration = await context.services.loadConfiguration()
    for (const name of vaults) getVault(configuration, name)
    const held = await askPassword(context, input, signal)
    await using opened = await context.services.open(configuration, context)
    const report = await checkKit(opened.services, held, vaults, signal)
    await lookAfter(opened.services, context, signal)
    return report
  },

  render: ({ vaults, by, kit, status }, { width }) => [
    ...table(columns, vaults.map(rowOf), width),
    ...vaults.flatMap(({ vault, failures }) =>
      failures.flatMap(({ project, error }) => [`${project} in ${vault}: ${error.message}`, `  ${error.hint}`]),
    ),
    '',
    status === 'complete'
      ? `${by === 'shares' ? `The shares of kit ${kit} open` : 'The password opens'} everything; the day was recorded.`
      : `${by === 'shares' ? `The shares of kit ${kit} do` : 'The password does'} NOT open everything.`,
  ],

  json: ({ status, by, kit, vaults }) => ({
    status,
    by,
    kit: kit ?? null,
    vaults: vaults.map(({ vault, opened, failures }) => ({
      vault,
      opened,
      failures: failures.map(({ project, error }) => ({ project, code: error.code, message: error.message })),
    })),
  }),

  exitCode: ({ status, vaults }) => {
    if (status === 'complete') return exit.done
    const [first] = vaults.flatMap(({ failures }) => failures)
    return first ? exitCodeOf(first.error) : exit.failed
  },
})

const columns = [{ title: 'VAULT', shrink: true }, { title: 'OPENED', align: 'right' as const }, { title: 'RESULT' }]

function rowOf({ vault, opened, failures }: CheckedVault): string[] {
  const result = failures.length > 0 ? `${failures.length} not opened` : opened > 0 ? 'opened' : 'nothing is there'
  return [vault, String(opened), result]
}
