import { html, raw } from 'hono/html'

import type { ProjectView, ReportView, TroubleView, VaultView } from './report-view.ts'

/** What the template gives: markup in which all that was filled in is escaped. */
type Markup = ReturnType<typeof html>

/**
 * The report as a document for mail programs: tables and styles of each element, because many know no more; no pictures, no
 * scripts and nothing from elsewhere. Programs that know `prefers-color-scheme` show it dark where the person wants that.
 */
export function reportHtml(view: ReportView): string {
  const { words, language, subject, organisation, title, span, headline, summary, footer } = view
  const tone = view.isWell ? good : bad
  const document = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${subject}</title>
        <style>
          ${raw(darkStyles)}
        </style>
      </head>
      <body class="page" style="margin:0;padding:0;background:#f3f5f7;color:#1f2328;${raw(font)}">
        <div style="display:none;max-height:0;overflow:hidden">${headline}. ${summary}</div>
        <table role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0">
          <tr>
            <td align="center" style="padding:16px 8px">
              <table
                role="presentation"
                width="100%"
                cellspacing="0"
                cellpadding="0"
                border="0"
                style="max-width:640px;table-layout:fixed;text-align:left"
              >
                <tr>
                  <td style="${raw(breaking)}">
                    <p class="quiet" style="margin:0 0 2px;font-size:14px;color:#59636e"><bdi>${organisation}</bdi></p>
                    <h1 style="margin:0 0 2px;font-size:22px;line-height:28px">${title}</h1>
                    <p class="quiet" style="margin:0 0 16px;font-size:13px;color:#59636e">${span}</p>
                    <div
                      class="${tone.banner}"
                      style="background:${tone.background};border-left:6px solid ${tone.colour};border-radius:6px;padding:12px 16px"
                    >
                      <p style="margin:0;font-size:17px;line-height:24px;font-weight:bold">
                        ${view.isWell ? '✓' : '⚠'} ${headline}
                      </p>
                      <p style="margin:4px 0 0;font-size:14px;line-height:20px">${summary}</p>
                    </div>
                    ${card(words.heads.trouble, view.troubles.map(troubleBlock))}
                    ${card(words.heads.projects, view.projects.map(projectBlock))}
                    ${card(
                      words.heads.storage,
                      view.vaults.map((vault) => vaultBlock(vault, view)),
                    )}
                    ${card(words.heads.incidents, view.incidents.map(incidentBlock))}
                    ${footer.map((line) => html`<p class="quiet" style="margin:12px 0 0;font-size:12px;line-height:18px;color:#59636e">${line}</p>`)}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `
  // because nothing in it is a promise, and some mail programs cut off what is larger than 100 KB
  return `${(document as string).trim().replace(/\n\s*/g, '\n')}\n`
}

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const breaking = 'overflow-wrap:anywhere;word-break:break-word'
const good = { banner: 'banner-good', background: '#e6f4ea', colour: '#1a7f37', text: 'good' }
const bad = { banner: 'banner-bad', background: '#fdecea', colour: '#b42318', text: 'bad' }
const quiet = { colour: '#59636e', text: 'quiet' }

/** Because a style of an element goes before a rule, unless the rule is important. */
const darkStyles = `
@media (prefers-color-scheme: dark) {
  .page { background: #0d1117 !important; color: #e6edf3 !important; }
  .card { background: #161b22 !important; border-color: #30363d !important; }
  .row { border-color: #30363d !important; }
  .quiet { color: #9da7b3 !important; }
  .good { color: #4ac26b !important; }
  .bad { color: #ff8b82 !important; }
  .code { background: #21262d !important; }
  .banner-good { background: #12261a !important; border-color: #4ac26b !important; }
  .banner-bad { background: #2d1614 !important; border-color: #ff8b82 !important; }
}
`

/** A heading with blocks below it; nothing where there are none. */
function card(head: string, blocks: readonly Markup[]): Markup | string {
  if (blocks.length === 0) return ''
  return html`<h2 style="margin:24px 0 8px;font-size:16px;line-height:22px">${head}</h2>
    <div class="card" style="background:#ffffff;border:1px solid #d1d9e0;border-radius:6px;padding:0 14px">
      ${blocks.map((block, index) => html`<div class="row" style="padding:10px 0;${raw(index === 0 ? '' : 'border-top:1px solid #d1d9e0')}">${block}</div>`)}
    </div>`
}

function troubleBlock({ name, marks, reasons, facts }: TroubleView): Markup {
  return html`<p style="margin:0;font-size:15px;line-height:21px">
      <b><bdi>${name}</bdi></b> <span class="bad" style="color:${bad.colour}">${marks}</span>
    </p>
    ${reasons.map(
      ({ text, advice }) =>
        html`<p style="margin:6px 0 0;font-size:14px;line-height:20px">${text}</p>
          <p class="quiet" style="margin:2px 0 0;font-size:13px;line-height:19px;color:${quiet.colour}">
            ${withCode(advice)}
          </p>`,
    )}
    ${facts.map((fact) => html`<p class="quiet" style="margin:4px 0 0;font-size:13px;line-height:19px;color:${quiet.colour}">${withCode(fact)}</p>`)}`
}

function projectBlock({ name, verdict, tone, line, details }: ProjectView): Markup {
  const { colour, text } = { good, bad, quiet }[tone]
  return html`<table
      role="presentation"
      width="100%"
      cellspacing="0"
      cellpadding="0"
      border="0"
      style="table-layout:fixed"
    >
      <tr>
        <td valign="top" style="font-size:15px;line-height:21px;${raw(breaking)}">
          <b><bdi>${name}</bdi></b>
        </td>
        <td
          valign="top"
          align="right"
          width="38%"
          class="${text}"
          style="font-size:14px;line-height:21px;color:${colour};${raw(breaking)}"
        >
          ${verdict}
        </td>
      </tr>
    </table>
    <p style="margin:1px 0 0;font-size:14px;line-height:20px">${line}</p>
    ${details.map((detail) => html`<p class="quiet" style="margin:1px 0 0;font-size:12px;line-height:18px;color:${quiet.colour}">${detail}</p>`)}`
}

function vaultBlock({ vault, where, used, free, growth, full, month }: VaultView, { words }: ReportView): Markup {
  const facts = [
    ...(free === '' ? [] : [words.free(free)]),
    ...(growth === '' ? [] : [words.growth(growth)]),
    ...(full === '' ? [] : [words.full(full)]),
    ...(month === '' ? [] : [words.perMonth(month)]),
  ]
  return html`<table
      role="presentation"
      width="100%"
      cellspacing="0"
      cellpadding="0"
      border="0"
      style="table-layout:fixed"
    >
      <tr>
        <td valign="top" style="font-size:15px;line-height:21px;${raw(breaking)}">
          <b>${vault}</b> <span class="quiet" style="color:${quiet.colour}">(${where})</span>
        </td>
        <td valign="top" align="right" width="38%" style="font-size:14px;line-height:21px">${used}</td>
      </tr>
    </table>
    ${facts.length === 0 ? '' : html`<p class="quiet" style="margin:1px 0 0;font-size:13px;line-height:19px;color:${quiet.colour}">${facts.join(' · ')}</p>`}`
}

function incidentBlock({ text, when, isOpen }: ReportView['incidents'][number]): Markup {
  const { colour, text: style } = isOpen ? bad : good
  return html`<p style="margin:0;font-size:14px;line-height:20px">${text}</p>
    <p class="${style}" style="margin:1px 0 0;font-size:13px;line-height:19px;color:${colour}">${when}</p>`
}

/** What stands between backticks is shown as it is typed. */
function withCode(text: string): Markup[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : codeOf(part)))
}

/** Words stay whole where they fit on a line, because `--project` would be cut behind its hyphens. */
function codeOf(command: string): Markup {
  const words = command
    .split(' ')
    .map(
      (word, index) => html`${index === 0 ? '' : ' '}<span style="display:inline-block;max-width:100%">${word}</span>`,
    )
  return html`<code
    class="code"
    style="font-family:ui-monospace,Consolas,Menlo,monospace;font-size:12px;background:#eef1f4;border-radius:4px;padding:1px 4px"
    >${words}</code
  >`
}
