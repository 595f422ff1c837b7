import { AppError } from '#base'
import { sourceError } from '../errors.ts'
import { shownAddress, type PlainAddress } from '../server-address.ts'
import { mysqlError } from './errors.ts'

/** Where something failed, for the words about it. */
export interface FailureScene {
  readonly address: PlainAddress
  readonly database: string
}

/** The server's numbers of errors, by what they mean to a backup. */
const meanings: readonly (readonly [meaning: Meaning, numbers: readonly number[]])[] = [
  ['refused', [1045, 1698, 1251, 1275, 1820, 1862, 2059, 3118, 4151]],
  ['database', [1049]],
  ['right', [1044, 1142, 1143, 1227, 1370, 1410]],
  ['view', [1356, 1449]],
  ['lock', [1205, 1907]],
  ['damage', [126, 127, 145, 1034, 1035, 130, 144, 1194, 1195, 1030, 1712, 1814, 1932]],
  ['unreachable', [1040, 1041, 1042, 1043, 1129, 1130, 1203, 1226, 2002, 2003, 2005, 2026, 3159]],
]
type Meaning = 'refused' | 'database' | 'right' | 'view' | 'lock' | 'damage' | 'unreachable'

/** What a change of the schema in the middle of a dump makes the server answer; another attempt sees it as it is now. */
const changed = [1017, 1051, 1054, 1072, 1146, 1213, 1304, 1305, 1356, 1360, 1412, 1539, 1932, 4031]

/** The number of the error for which a client ended, in each of the ways in which the clients write it. */
export function errorNumber(text: string): number | undefined {
  const shapes = [
    /\bERROR (\d{2,4})\b/,
    /\bGot error: (\d+):/,
    /\bError (\d{3,4}):/,
    /\((\d{4})\)\s*$/m,
    /\berrno: (\d+)/,
  ]
  for (const shape of shapes) {
    const found = shape.exec(text)
    if (found) return Number(found[1])
  }
  return undefined
}

/** True when a failed dump may well succeed at once, because the schema changed while it was made. */
export function isOfChange(reason: string): boolean {
  const number = errorNumber(reason)
  return number !== undefined && changed.includes(number)
}

/** What a client said when it failed, without anything secret; undefined when it was not a program that failed. */
export function reasonOf(thrown: unknown, { address }: FailureScene): string | undefined {
  if (!(thrown instanceof AppError) || thrown.code !== 'program.failed') return undefined
  const said = String(thrown.facts['stderr'])
  const words = /gave no reason/.test(said) ? `${thrown.facts['program']} ${thrown.facts['outcome']}` : said
  // because the client repeats the statement before it says what is wrong with it
  const complaint = words.slice(Math.max(0, words.search(/^ERROR /m))).trim()
  const password = address.password?.reveal()
  return password ? complaint.replaceAll(password, '***') : complaint
}

/**
 * The error that a failed client means, whatever it was asked.
 *
 * @returns undefined when the server's answer has no meaning of its own for a backup.
 */
export function meaningOf(reason: string, scene: FailureScene, account = 'of the backup'): AppError | undefined {
  const number = errorNumber(reason)
  const meaning = meanings.find(([, numbers]) => number !== undefined && numbers.includes(number))?.[0]
  const { database } = scene
  const server = shownAddress(scene.address)
  switch (meaning) {
    case 'refused':
      return mysqlError('source.access-refused', { server, reason })
    case 'database':
      return sourceError('source.database-missing', { database, server })
    case 'right':
      return mysqlError('source.right-missing', { account, database, right: reason, grant: neededGrant(database) })
    case 'view':
      return mysqlError('source.view-invalid', { database, reason })
    case 'lock':
      return mysqlError('source.lock-held', { database, seconds: 'some', reason })
    case 'damage':
      return mysqlError('source.table-damaged', { database, reason })
    case 'unreachable':
      return sourceError('source.server-unreachable', { server, reason })
    case undefined:
      return undefined
    default:
      return meaning satisfies never
  }
}

/** What an administrator grants so that everything of a database can be dumped. */
export function neededGrant(database: string): string {
  const name = database.replaceAll('`', '``').replace(/[_%\\]/g, (char) => `\\${char}`)
  return `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON \`${name}\`.* TO …`
}
