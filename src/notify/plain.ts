/**
 * Controls, line and paragraph separators, marks that change the direction of writing, and what takes no room. Written so that no
 * control stands in the expression itself.
 */
const hidden = '\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFF9-\\uFFFB'
const unseen = new RegExp(`[\\p{Cc}${hidden}]`, 'gu')
const unseenButLines = new RegExp(`(?!\\n)[\\p{Cc}${hidden}]`, 'gu')

/**
 * A name or sentence from outside on one line, with nothing in it that moves or hides what stands beside it. What is longer than
 * `limit` characters is cut, and ends in `…`.
 */
export function oneLine(text: string, limit: number): string {
  // because what is cut off later anyway need not be looked through: a name may be as long as its writer likes
  return cut(
    text
      .slice(0, limit * 4 + 1024)
      .toWellFormed()
      .replace(unseen, ' ')
      .replace(/ {2,}/g, ' ')
      .trim(),
    limit,
  )
}

/** The same, but lines stay lines. */
export function plainLines(text: string, limit: number): string {
  const whole = text
    .slice(0, limit * 4 + 1024)
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
  return cut(whole.replace(unseenButLines, ' '), limit)
}

/** At most so many UTF-16 units, without half a character at the end. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const end = /[\uD800-\uDBFF]/.test(text[limit - 2] ?? '') ? limit - 2 : limit - 1
  return `${text.slice(0, end)}…`
}

/** At most so many bytes of UTF-8, without half a character at the end. */
export function cutBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text
  const room = limit - Buffer.byteLength('…')
  let end = Math.min(text.length, room)
  while (Buffer.byteLength(text.slice(0, end)) > room)
    end = Math.max(0, end - Math.ceil((Buffer.byteLength(text.slice(0, end)) - room) / 3))
  return `${text
    .slice(0, end)
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`
}
