/** One letter of a password, and the word that it is spelled with. */
export interface SpelledLetter {
  readonly letter: string
  readonly word: string
}

/** Of the international spelling alphabet, which Dutch and English speakers share. */
const alphabet = (
  'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra ' +
  'tango uniform victor whiskey xray yankee zulu'
).split(' ')

const digits = {
  en: 'zero one two three four five six seven eight nine'.split(' '),
  nl: 'nul een twee drie vier vijf zes zeven acht negen'.split(' '),
}

const signs: Readonly<Record<string, { readonly en: string; readonly nl: string }>> = {
  '-': { en: 'dash', nl: 'streepje' },
  _: { en: 'underscore', nl: 'laag streepje' },
  ' ': { en: 'space', nl: 'spatie' },
  '.': { en: 'full stop', nl: 'punt' },
  ',': { en: 'comma', nl: 'komma' },
  ':': { en: 'colon', nl: 'dubbele punt' },
  ';': { en: 'semicolon', nl: 'puntkomma' },
  '!': { en: 'exclamation mark', nl: 'uitroepteken' },
  '?': { en: 'question mark', nl: 'vraagteken' },
  '@': { en: 'at sign', nl: 'apenstaart' },
  '#': { en: 'number sign', nl: 'hekje' },
  $: { en: 'dollar', nl: 'dollar' },
  '%': { en: 'percent', nl: 'procent' },
  '&': { en: 'ampersand', nl: 'en-teken' },
  '*': { en: 'asterisk', nl: 'sterretje' },
  '+': { en: 'plus', nl: 'plus' },
  '=': { en: 'equals', nl: 'is-teken' },
  '/': { en: 'slash', nl: 'schuine streep' },
  '\\': { en: 'backslash', nl: 'omgekeerde schuine streep' },
  '|': { en: 'bar', nl: 'rechte streep' },
  '~': { en: 'tilde', nl: 'tilde' },
  '^': { en: 'caret', nl: 'dakje' },
  '(': { en: 'opening parenthesis', nl: 'haakje openen' },
  ')': { en: 'closing parenthesis', nl: 'haakje sluiten' },
  '[': { en: 'opening bracket', nl: 'rechte haak openen' },
  ']': { en: 'closing bracket', nl: 'rechte haak sluiten' },
  '{': { en: 'opening brace', nl: 'accolade openen' },
  '}': { en: 'closing brace', nl: 'accolade sluiten' },
  '<': { en: 'less than', nl: 'kleiner dan' },
  '>': { en: 'greater than', nl: 'groter dan' },
  '"': { en: 'double quote', nl: 'dubbel aanhalingsteken' },
  "'": { en: 'apostrophe', nl: 'apostrof' },
  '`': { en: 'backtick', nl: 'accent grave' },
}

/** A password letter by letter, each with the word to say it with; capitals are called so. */
export function spell(text: string, language: 'nl' | 'en'): SpelledLetter[] {
  return Array.from(text).map((letter) => ({ letter, word: wordFor(letter, language) }))
}

function wordFor(letter: string, language: 'nl' | 'en'): string {
  if (/^[a-z]$/.test(letter)) return alphabet[letter.charCodeAt(0) - 97]!
  if (/^[A-Z]$/.test(letter)) {
    const word = alphabet[letter.charCodeAt(0) - 65]!
    return `${{ en: 'capital', nl: 'hoofdletter' }[language]} ${word}`
  }
  if (/^\d$/.test(letter)) return digits[language][Number(letter)]!
  return signs[letter]?.[language] ?? `U+${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
