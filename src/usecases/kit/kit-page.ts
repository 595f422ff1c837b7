import { html, raw } from 'hono/html'

import { quoted } from '#strategies'
import type { KitFacts, KitPassword, KitVault } from './gather-facts.ts'
import { markdown } from './markdown.ts'
import { passwordBlock } from './password-block.ts'
import { kitStyles } from './styles.ts'
import { dutch } from './words-nl.ts'
import { english } from './words-en.ts'
import type { KitWords } from './words.ts'

/** Markup in which all that was filled in is escaped. */
export type Markup = ReturnType<typeof html>

/** One paper of a kit: an HTML document that prints on A4, asks nothing of a network and runs nothing. */
export function kitPage(facts: KitFacts, paper: KitPassword): string {
  const words = { nl: dutch, en: english }[facts.language]
  const { organisation, vaults } = facts
  const made = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeZone: facts.timezone }).format(
    facts.madeAt,
  )
  const share = paper.form === 'shares' ? ` · ${words.share(paper.number, paper.count)}` : ''
  const document = html`<!doctype html>
    <html lang="${facts.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta
          http-equiv="content-security-policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${words.title}${organisation === undefined ? '' : ` ${organisation}`} ${facts.id}${share}</title>
        <style>
          ${raw(kitStyles)}
        </style>
      </head>
      <body>
        <header>
          ${organisation === undefined ? '' : html`<p class="organisation">${organisation}</p>`}
          <h1>${words.title}${share}</h1>
          <p class="lead">${words.lead}</p>
          <dl class="facts">
            <div>
              <dt>${words.facts.kit}</dt>
              <dd><code>${facts.id}</code></dd>
            </div>
            <div>
              <dt>${words.facts.made}</dt>
              <dd>${made}, Bewaar ${facts.version}</dd>
            </div>
            <div>
              <dt>${words.facts.machine}</dt>
              <dd>${facts.hostname}, <code>${facts.configuration}</code></dd>
            </div>
          </dl>
          <p class="keep">${words.keep}</p>
        </header>
        <section>
          <h2>${words.call}</h2>
          ${contactsBlock(facts, words)}
        </section>
        <section>
          <h2>${words.vaults}</h2>
          <p>${words.vaultsLead}</p>
          ${vaults.map((vault) => vaultBlock(vault, facts, words))}
        </section>
        ${passwordBlock(facts, paper, words)}
        <section>
          <h2>${words.withBewaar}</h2>
          <ol>
            <li>${words.installBewaar}</li>
            <li>
              ${words.recover}
              <pre>${vaults.map(recoverCommand).join('\n')}</pre>
              ${paper.form === 'shares' ? html`<p>${words.recoverShares(paper.needed)}</p>` : ''}
            </li>
            <li>
              ${words.restoreEach}
              <pre>${facts.projects.map(({ name }) => `bewaar restore --project=${name} --latest`).join('\n')}</pre>
            </li>
          </ol>
        </section>
        <section>
          <h2>${words.withoutBewaar}</h2>
          <p>${words.installRestic}</p>
          ${paper.form === 'shares' ? markdown([words.joinShares]) : ''}
          <p><strong>1.</strong> ${words.reach}</p>
          ${vaults.map(({ restic }) => markdown(restic))}
          <p><strong>2.</strong> ${words.fetch}</p>
          <pre>${fetching}</pre>
          <p><strong>3.</strong> ${words.followRestore}</p>
          ${
            facts.hasPostgresql
              ? html`<p>${words.postgresql}</p>
                  <pre>${loading.postgresql}</pre>`
              : ''
          }
          ${
            facts.hasMysql
              ? html`<p>${words.mysql}</p>
                  <pre>${loading.mysql}</pre>`
              : ''
          }
        </section>
        <section class="together">
          <h2>${words.check}</h2>
          ${markdown([words.checkLead])}
          <table class="fill">
            <thead>
              <tr>
                <th>${words.checkTable.day}</th>
                <th>${words.checkTable.name}</th>
                <th>${words.checkTable.result}</th>
              </tr>
            </thead>
            <tbody>
              ${Array.from(
                { length: 4 },
                () =>
                  html`<tr>
                    <td></td>
                    <td></td>
                    <td></td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </section>
      </body>
    </html>`
  return `${(document as string).trim().replace(/\n +(?=<)/g, '\n')}\n`
}

const fetching = [
  'restic snapshots',
  'restic check --read-data',
  'restic restore latest --target /tmp/restored',
  'cat /tmp/restored/RESTORE.md',
].join('\n')

const loading = {
  postgresql: [
    'sudo -u postgres psql --dbname=postgres < /tmp/restored/database/globals.sql',
    'sudo -u postgres createdb --template=template0 NAME',
    'sudo -u postgres psql --set=ON_ERROR_STOP=1 --dbname=NAME < /tmp/restored/database/NAME.sql',
  ].join('\n'),
  mysql: [
    "mariadb --execute='CREATE DATABASE NAME CHARACTER SET utf8mb4'",
    'mariadb --binary-mode --default-character-set=utf8mb4 --database=NAME < /tmp/restored/database/NAME.sql',
  ].join('\n'),
}

function contactsBlock({ contacts }: KitFacts, words: KitWords): Markup {
  if (contacts.length > 0)
    return html`<ul>
      ${contacts.map((contact) => html`<li>${contact}</li>`)}
    </ul>`
  return html`<p>${words.noContacts}</p>
    <div class="line"></div>
    <div class="line"></div>`
}

function vaultBlock(vault: KitVault, { vaults }: KitFacts, words: KitWords): Markup {
  const { name, location, tier, place, passwordLetter, needs, hasHost, hostKeys, projects } = vault
  const isOnly = vaults.every((one) => one.passwordLetter === passwordLetter)
  const row = (label: string, content: Markup | string): Markup =>
    html`<div>
      <dt>${label}</dt>
      <dd>${content}</dd>
    </div>`
  return html`<article class="vault">
    <h3>${name} <span>${words.tiers[tier]}</span></h3>
    <dl>
      ${row(words.location, html`<code>${location}</code>`)} ${place === '' ? '' : row(words.place, place)}
      ${row(words.password, words.passwordNamed(passwordLetter, isOnly))}
      ${hasHost ? row(words.hostKeys, keysOf(hostKeys, words)) : ''}
      ${needs.map((need) => row(words.alsoNeeded, words.needs[need]))} ${row(words.projects, projects.join(', '))}
    </dl>
  </article>`
}

function keysOf(hostKeys: KitVault['hostKeys'], words: KitWords): Markup | string {
  if (hostKeys.length === 0) return words.noHostKeys
  return html`${hostKeys.map(({ type, fingerprint }) => html`<div>${type} <code>${fingerprint}</code></div>`)}`
}

function recoverCommand({ location, hasHost, needs }: KitVault): string {
  return [
    `bewaar recover --from=${quoted(location)}`,
    ...(hasHost ? ['--identity=/path/to/private-key --known-hosts=/path/to/known_hosts'] : []),
    ...(needs.includes('authority') ? ['--ca=/path/to/ca.pem'] : []),
  ].join(' ')
}
