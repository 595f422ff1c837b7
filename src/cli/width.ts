let segmenter: Intl.Segmenter | undefined
const wide =
  /^(\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6])/u

/** Whether every character is one of ASCII that shows itself, in one column: nearly every text is. */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** Columns that a terminal needs for `text`. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const { segment } of graphemes(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** The beginning of `text` that fits in `columns`, with `…` where something was left out. */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let short = ''
  let left = columns - 1
  for (const { segment } of graphemes(text)) {
    left -= widthOf(segment)
    if (left < 0) break
    short += segment
  }
  return columns > 0 ? `${short}…` : ''
}

/** Made when the first text needs it, because that takes longer than many a command. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}
