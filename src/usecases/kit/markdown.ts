import { html } from 'hono/html'

type Markup = ReturnType<typeof html>

/** The little of Markdown that our instructions use: third headings, paragraphs, words of code and blocks of shell. */
export function markdown(lines: readonly string[]): Markup {
  const blocks: Markup[] = []
  let paragraph: string[] = []
  let code: string[] | undefined
  const endParagraph = (): void => {
    if (paragraph.length > 0) blocks.push(html`<p>${inline(paragraph.join(' '))}</p>`)
    paragraph = []
  }
  for (const line of lines) {
    if (line.startsWith('```')) {
      endParagraph()
      if (code) blocks.push(html`<pre>${code.join('\n')}</pre>`)
      code = code ? undefined : []
    } else if (code) code.push(line)
    else if (line.startsWith('### ')) {
      endParagraph()
      blocks.push(html`<h4>${inline(line.slice(4))}</h4>`)
    } else if (line === '') endParagraph()
    else paragraph.push(line)
  }
  endParagraph()
  return html`${blocks}`
}

function inline(text: string): Markup {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}
