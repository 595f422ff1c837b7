import type { Language } from '#model'

/** What RESTORE.md of an export tells. */
export interface ExportFacts {
  readonly language: Language
  readonly title: string
  readonly snapshot: string
  /** RFC 3339, in the organisation's time zone. */
  readonly time: string
  /** The file without folders: `shop-2025-11-21-1a2b3c4d.tar.zst.age`. */
  readonly file: string
  /** The folder in it. */
  readonly folder: string
  /** Folders of tables in it. */
  readonly tables: readonly string[]
  readonly hasConfig: boolean
}

/** How to open an export and read it, with nothing but age or gpg, zstd, tar and sha256sum. */
export function exportInstructions(facts: ExportFacts): string {
  return `${{ nl: inDutch, en: inEnglish }[facts.language](facts).join('\n').trimEnd()}\n`
}

/** The commands that open an export, for people; they run in the folder it lies in. */
export function openingCommands({ file, folder }: Pick<ExportFacts, 'file' | 'folder'>): string[] {
  const name = /^[\w.+-]+$/.test(file) ? file : `'./${file.replaceAll("'", `'\\''`)}'`
  const open = file.endsWith('.age') ? `age --decrypt --identity key.txt ${name}` : `gpg --decrypt ${name}`
  return [`${open} | zstd --decompress | tar --extract`, `cd ${folder}`, check]
}

const check = 'sha256sum --check --quiet SHA256SUMS'

function block(lines: readonly string[]): string[] {
  return ['```sh', ...lines, '```', '']
}

function example(folder: string): string[] {
  return block([
    `cut -d, -f1-3 ${folder}/tables.csv`,
    `sqlite3 tables.db ".import --csv '${folder}/data/NAME.csv' name" 'select count(*) from name'`,
  ])
}

function inEnglish(facts: ExportFacts): string[] {
  const { title, snapshot, time, folder, tables, hasConfig } = facts
  return [
    `# ${title}: export of the backup of ${time}`,
    '',
    `Snapshot ${snapshot}, in the folder \`${folder}\`. These commands open it:`,
    '',
    ...block(openingCommands(facts)),
    'The last command says nothing when every file is as it was written, and names each that is not.',
    '',
    '| what | is |',
    '|---|---|',
    '| `manifest.json` | what this export is, and which tables it holds |',
    ...(tables.length > 0 ? ['| `tables/` | the tables of the databases as CSV files, and what explains them |'] : []),
    '| `snapshot/` | the backup itself, with a `manifest.json` of its own; its `RESTORE.md` says how its databases are loaded |',
    '| `SHA256SUMS` | the SHA-256 of every file |',
    '',
    ...(hasConfig ? ['**`snapshot/config/` holds passwords and keys. Whoever gets this folder gets those.**', ''] : []),
    ...(tables.length > 0
      ? [
          '## Tables',
          '',
          ...tables.map((one) => `- \`${one}\``),
          '',
          'In each of these folders lies, as a CSV file (UTF-8, commas, quotes where they are needed, CR LF):',
          '',
          '- `tables.csv`: the tables, their rows, and the rows that were counted when the backup was made;',
          '- `columns.csv`: the data dictionary: type, default, keys and comment of every column;',
          '- `reconciliation.csv`: for every column the values that are missing, the exact sum of numbers, the smallest and',
          '  largest number, the first and last date; `not_in_sum` counts values that are none, as `NaN` and `infinity`;',
          '- `data/`: one file for each table, with a header. Nothing between two commas is NULL, `""` is an empty text.',
          '  Bytes are written in hexadecimal after `0x` or `\\x`.',
          '',
          ...example(tables[0]!),
          'A spreadsheet reads them by its import of text, with comma as separator. Let it take columns as text, so that it',
          'calculates nothing from what people have typed.',
          '',
        ]
      : []),
  ]
}

function inDutch(facts: ExportFacts): string[] {
  const { title, snapshot, time, folder, tables, hasConfig } = facts
  return [
    `# ${title}: export van de back-up van ${time}`,
    '',
    `Snapshot ${snapshot}, in de map \`${folder}\`. Openen gaat met deze opdrachten:`,
    '',
    ...block(openingCommands(facts)),
    'De laatste opdracht zegt niets als elk bestand is zoals het is geschreven, en noemt elk bestand dat dat niet is.',
    '',
    '| wat | is |',
    '|---|---|',
    '| `manifest.json` | wat deze export is, en welke tabellen erin staan |',
    ...(tables.length > 0 ? ['| `tables/` | de tabellen van de databases als CSV-bestanden, met uitleg |'] : []),
    '| `snapshot/` | de back-up zelf, met een eigen `manifest.json`; in de `RESTORE.md` daar staat hoe de databases worden geladen |',
    '| `SHA256SUMS` | de SHA-256 van elk bestand |',
    '',
    ...(hasConfig
      ? ['**In `snapshot/config/` staan wachtwoorden en sleutels. Wie deze map krijgt, krijgt ook die.**', '']
      : []),
    ...(tables.length > 0
      ? [
          '## Tabellen',
          '',
          ...tables.map((one) => `- \`${one}\``),
          '',
          'In elk van deze mappen staan als CSV-bestand (UTF-8, komma’s, aanhalingstekens waar nodig, CR LF):',
          '',
          '- `tables.csv`: de tabellen, hun rijen, en de rijen die zijn geteld toen de back-up werd gemaakt;',
          '- `columns.csv`: de gegevensbeschrijving: type, standaardwaarde, sleutels en opmerking van elke kolom;',
          '- `reconciliation.csv`: de aansluiting: per kolom de ontbrekende waarden, de exacte som van getallen, het kleinste en',
          '  grootste getal, de eerste en laatste datum; `not_in_sum` telt waarden die dat niet zijn, zoals `NaN` en `infinity`;',
          '- `data/`: een bestand per tabel, met een kopregel. Niets tussen twee komma’s is NULL, `""` is een lege tekst.',
          '  Bytes staan er hexadecimaal, achter `0x` of `\\x`.',
          '',
          ...example(tables[0]!),
          'Een rekenblad leest ze met zijn import van tekst, met de komma als scheidingsteken. Laat het kolommen als tekst lezen,',
          'zodat het niets uitrekent uit wat mensen hebben getypt.',
          '',
        ]
      : []),
  ]
}
