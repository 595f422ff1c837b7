import { html } from 'hono/html'

import type { Gravity } from '../channel.ts'
import type { AlarmPage, AlarmView } from './alarm-page.ts'
import type { Step } from './texts.ts'

/** Dark enough for white letters on them. */
const colours: Record<Gravity, string> = { alarm: '#b3261e', warning: '#8a5300', notice: '#3c4a5a', good: '#1b6e3c' }

const font = 'font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif'
const wrap = 'overflow-wrap:anywhere;word-break:break-word'
const code =
  'display:block;margin:4px 0 0;padding:6px 10px;background:#f1f3f5;border-radius:4px;color:#1c2126;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace'

/**
 * The document of an alarm. Everything is put in by a template that escapes it; styles stand in the elements, because readers of
 * mail drop all others, and nothing is fetched from anywhere.
 */
export async function alarmHtml(page: AlarmPage): Promise<string> {
  const { language, gravity, subject, heading, introduction, single, list, others, steps, whatToDo, footer } = page
  const document = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light" />
        <title>${subject}</title>
      </head>
      <body style="margin:0;padding:0;background:#eceff1;color:#1c2126;${font}">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eceff1">
          <tr>
            <td align="center" style="padding:16px 8px">
              <table
                role="presentation"
                width="100%"
                cellpadding="0"
                cellspacing="0"
                style="max-width:620px;background:#ffffff;border-radius:8px;table-layout:fixed"
              >
                <tr>
                  <td style="padding:18px 24px;background:${colours[gravity]};border-radius:8px 8px 0 0;${wrap}">
                    <h1 style="margin:0;font-size:20px;line-height:1.3;color:#ffffff">${heading}</h1>
                  </td>
                </tr>
                <tr>
                  <td style="padding:20px 24px 8px;font-size:16px;line-height:1.5;${wrap}">
                    <p style="margin:0 0 16px">${introduction}</p>
                    ${single ? factsTable(single) : ''}${list.length > 0 ? listTable(list, others) : ''}${
                      steps.length > 0
                        ? html`<h2 style="margin:8px 0 4px;font-size:16px">${whatToDo}</h2>
                            <ol style="margin:0 0 16px;padding-left:22px">
                              ${steps.map(stepItem)}
                            </ol>`
                        : ''
                    }
                  </td>
                </tr>
                <tr>
                  <td
                    style="padding:12px 24px 18px;border-top:1px solid #e1e5e8;color:#56616b;font-size:12px;line-height:1.5;${wrap}"
                  >
                    ${footer}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `
  return String(await document)
}

function factsTable({ facts }: AlarmView) {
  return html`<table
    cellpadding="0"
    cellspacing="0"
    width="100%"
    style="margin:0 0 16px;font-size:14px;line-height:1.5;table-layout:fixed"
  >
    ${facts.map(
      ([label, value]) =>
        html`<tr>
          <th
            scope="row"
            align="left"
            valign="top"
            width="34%"
            style="padding:4px 12px 4px 0;color:#56616b;font-weight:normal"
          >
            ${label}
          </th>
          <td valign="top" style="padding:4px 0;${wrap}">${value}</td>
        </tr>`,
    )}
  </table> `
}

function listTable(list: readonly AlarmView[], others: string) {
  return html`<table
      cellpadding="0"
      cellspacing="0"
      width="100%"
      style="margin:0 0 16px;font-size:14px;line-height:1.4;table-layout:fixed"
    >
      ${list.map(
        ({ title, about, facts, gravity }) =>
          html`<tr>
            <td
              valign="top"
              style="padding:8px 0 8px 12px;border-left:4px solid ${colours[gravity]};border-bottom:1px solid #e1e5e8;${wrap}"
            >
              <strong>${about}</strong>: ${title}<br /><span style="color:#56616b">${facts[0]![1]}</span>
            </td>
          </tr>`,
      )}
    </table>
    ${others === '' ? '' : html`<p style="margin:0 0 16px">${others}</p>`}`
}

function stepItem({ text, commands }: Step) {
  return html`<li style="margin:0 0 10px">
    ${text}${commands.map((command) => html`<code style="${code};${wrap}">${command}</code>`)}
  </li>`
}
