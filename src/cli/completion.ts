import type { CommandEntry, InputItem } from './command.ts'
import type { Completion } from './parsers.ts'
import type { Shell } from './shells.ts'

/** What a script must know of one verb. */
interface Verb {
  readonly name: string
  readonly summary: string
  readonly items: readonly InputItem<unknown>[]
}

const everywhere: readonly InputItem<unknown>[] = [
  {
    kind: 'option',
    name: '--config',
    help: 'configuration file',
    required: false,
    parser: { placeholder: 'FILE', completion: 'files', parse: String },
  },
  { kind: 'flag', name: '--json', help: 'print the result as JSON', required: false },
  { kind: 'flag', name: '--quiet', help: 'no progress and no notes', required: false },
  { kind: 'flag', name: '--verbose', help: 'say more', required: false },
  { kind: 'flag', name: '--help', help: 'show the help', required: false },
]

/**
 * The completion script of a shell for all verbs that are not hidden, without a line end. Names of projects and vaults
 * are asked of `bewaar completion-words` when the shell needs them.
 */
export async function completionScript(shell: Shell, entries: readonly CommandEntry[]): Promise<string> {
  const verbs = await Promise.all(
    entries
      .filter(({ hidden }) => !hidden)
      .map(async ({ name, summary, load }) => ({ name, summary, items: Object.values((await load()).input) })),
  )
  return { bash, zsh, fish }[shell](verbs)
}

/** The first words of the verbs, each once. */
function firstWords(verbs: readonly Verb[]): string[] {
  return [...new Set(verbs.map(({ name }) => name.split(' ')[0]!))]
}

function secondWords(verbs: readonly Verb[], first: string): Verb[] {
  return verbs.filter(({ name }) => name.startsWith(`${first} `))
}

function optionsOf(verb: Verb): readonly InputItem<unknown>[] {
  return [...verb.items.filter((item) => !isWord(item)), ...everywhere]
}

/** Something that stands without a dash before it. */
function isWord({ kind }: InputItem<unknown>): boolean {
  return kind === 'positional' || kind === 'words'
}

function completionOf(item: InputItem<unknown>): Completion | undefined {
  return item.parser?.completion
}

function bash(verbs: readonly Verb[]): string {
  const known = verbs.filter(({ name }) => name.includes(' ')).map(({ name }) => `"${name}"`)
  const cases = verbs.flatMap((verb) =>
    [...verb.items, ...everywhere].flatMap((item) => {
      if (item.kind === 'flag' || isWord(item)) return []
      return [`    "${verb.name} ${item.name}") ${bashWords(completionOf(item))}; return ;;`]
    }),
  )
  const lists = verbs.map((verb) => {
    const options = optionsOf(verb).map(({ name }) => name)
    const seconds = secondWords(verbs, verb.name).map(({ name }) => name.split(' ')[1]!)
    const positional = verb.items.find(isWord)
    const choices = positional && completionOf(positional)
    const words = [...seconds, ...(Array.isArray(choices) ? (choices as readonly string[]) : []), ...options]
    const instead = choices === 'folders' ? `; [[ $current != -* ]] && { ${bashWords(choices)}; return; }` : ''
    return `    "${verb.name}") words="${words.join(' ')}"${instead} ;;`
  })
  return `# bash completion for bewaar
_bewaar_names() {
  "\${COMP_WORDS[0]}" \${config:+--config "$config"} completion-words "$1" 2>/dev/null
}
_bewaar() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local verb="" config="" word index words=""
  COMPREPLY=()
  if [[ $current == "=" ]]; then current=""
  elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      --config)
        [[ "\${COMP_WORDS[index+1]}" == "=" ]] && ((index++))
        ((index++)); config="\${COMP_WORDS[index]}" ;;
      -* | =) ;;
      *)
        if [[ -z $verb ]]; then verb="$word"
        else case "$verb $word" in ${known.join(' | ') || '""'}) verb="$verb $word" ;; esac
        fi ;;
    esac
  done
  case "$verb $previous" in
${cases.join('\n')}
  esac
  [[ $previous == --config ]] && { ${bashWords('files')}; return; }
  case "$verb" in
    "") words="${[...firstWords(verbs), ...everywhere.map(({ name }) => name)].join(' ')}" ;;
${lists.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _bewaar bewaar`
}

function bashWords(completion: Completion | undefined): string {
  if (completion === undefined) return 'COMPREPLY=()'
  if (completion === 'files') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))'
  if (completion === 'folders') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current"))'
  const words = typeof completion === 'string' ? `$(_bewaar_names ${completion})` : completion.join(' ')
  return `COMPREPLY=($(compgen -W "${words}" -- "$current"))`
}

function zsh(verbs: readonly Verb[]): string {
  const describe = (names: readonly Verb[], word: (name: string) => string): string =>
    names.map(({ name, summary }) => `        ${quote(`${word(name)}:${summary}`)}`).join('\n')
  const firsts = firstWords(verbs).map((first) => verbs.find(({ name }) => name === first) ?? plainGroup(first))
  const cases = verbs
    .toSorted((a, b) => b.name.length - a.name.length)
    .map((verb) => {
      const [, second] = verb.name.split(' ')
      const shift = second === undefined ? '' : 'shift words; (( CURRENT-- )); '
      const seconds = secondWords(verbs, verb.name)
      const specs = [...optionsOf(verb).map(zshOption), ...verb.items.flatMap(zshPositional)]
      if (seconds.length > 0) {
        specs.push(quote(`1:verb:((${seconds.map((one) => zshChoice(one)).join(' ')}))`))
      }
      return `    ${quote(verb.name)}) ${shift}_arguments -S ${specs.join(' ')} ;;`
    })
  return `#compdef bewaar
_bewaar_names() {
  local -a names
  names=(\${(f)"$(\${_bewaar_program:-bewaar} \${_bewaar_config:+--config} \${_bewaar_config:+"$_bewaar_config"} completion-words $1 2>/dev/null)"})
  compadd -a names
}
_bewaar() {
  local context state line _bewaar_program="$words[1]" _bewaar_config=""
  local -A opt_args
  local index=$words[(I)--config]
  (( index > 0 )) && _bewaar_config="$words[index+1]"
  _arguments -C -S ${everywhere.map(zshOption).join(' ')} '1:verb:->verb' '*::word:->words'
  case $state in
    verb)
      local -a verbs=(
${describe(firsts, (name) => name)}
      )
      _describe verb verbs ;;
    words)
      local verb="$words[1]"
      [[ ${verbs
        .filter(({ name }) => name.includes(' '))
        .map(({ name }) => `"$words[1] $words[2]" == ${quote(name)}`)
        .join(' || ')} ]] && (( CURRENT > 2 )) && verb="$words[1] $words[2]"
      case "$verb" in
${cases.join('\n')}
      esac ;;
  esac
}
_bewaar "$@"`
}

function plainGroup(name: string): Verb {
  return { name, summary: name, items: [] }
}

function zshChoice({ name, summary }: Verb): string {
  return `${name.split(' ')[1]}\\:${summary.replaceAll(/[^\w]/g, (character) => `\\${character}`)}`
}

function zshOption(item: InputItem<unknown>): string {
  const help = item.help.replaceAll(/[[\]:]/g, (character) => `\\${character}`)
  const repeat = item.kind === 'options' ? '*' : ''
  if (item.kind === 'flag') return quote(`${item.name}[${help}]`)
  return quote(`${repeat}${item.name}=[${help}]:${item.parser!.placeholder}:${zshAction(completionOf(item))}`)
}

function zshPositional(item: InputItem<unknown>): string[] {
  if (!isWord(item)) return []
  const which = item.kind === 'words' ? '*' : '1'
  return [quote(`${which}:${item.name}:${zshAction(completionOf(item))}`)]
}

function zshAction(completion: Completion | undefined): string {
  if (completion === undefined) return ' '
  if (completion === 'files') return '_files'
  if (completion === 'folders') return '_files -/'
  return typeof completion === 'string' ? ` _bewaar_names ${completion}` : `(${completion.join(' ')})`
}

function fish(verbs: readonly Verb[]): string {
  const lines = [
    '# fish completion for bewaar',
    'function __bewaar_names',
    '  set -l words (commandline -opc)',
    '  set -l config',
    '  if set -l index (contains -i -- --config $words); and test $index -lt (count $words)',
    '    set config --config $words[(math $index + 1)]',
    '  end',
    '  $words[1] $config completion-words $argv[1] 2>/dev/null',
    'end',
    'complete -c bewaar -f',
  ]
  for (const first of firstWords(verbs)) {
    const summary = verbs.find(({ name }) => name === first)?.summary ?? first
    lines.push(`complete -c bewaar -n __fish_use_subcommand -a ${first} -d ${quote(summary)}`)
  }
  for (const item of everywhere) lines.push(`complete -c bewaar ${fishOption(item)}`)
  for (const verb of verbs) {
    const [first, second] = verb.name.split(' ')
    const seen = `__fish_seen_subcommand_from ${first}${second ? `; and __fish_seen_subcommand_from ${second}` : ''}`
    if (second) {
      const others = secondWords(verbs, first!).map(({ name }) => name.split(' ')[1])
      const when = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${others.join(' ')}`
      lines.push(`complete -c bewaar -n ${quote(when)} -a ${second} -d ${quote(verb.summary)}`)
    }
    for (const item of verb.items) {
      const about = isWord(item) ? `-a ${fishWords(completionOf(item))}` : fishOption(item)
      lines.push(`complete -c bewaar -n ${quote(seen)} ${about}`)
    }
  }
  return lines.join('\n')
}

function fishOption(item: InputItem<unknown>): string {
  const name = `-l ${item.name.slice(2)} -d ${quote(item.help)}`
  if (item.kind === 'flag') return name
  const completion = completionOf(item)
  if (completion === 'files') return `${name} -r -F`
  if (completion === 'folders') return `${name} -x -a '(__fish_complete_directories)'`
  return completion === undefined ? `${name} -x` : `${name} -x -a ${fishWords(completion)}`
}

function fishWords(completion: Completion | undefined): string {
  if (completion === undefined) return "''"
  if (completion === 'folders') return quote('(__fish_complete_directories)')
  return typeof completion === 'string' ? quote(`(__bewaar_names ${completion})`) : quote(completion.join(' '))
}

/** One word for any of the three shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
