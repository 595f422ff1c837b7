import { html, raw } from 'hono/html'

import type { KitFacts, KitPassword } from './gather-facts.ts'
import { qrCode } from './qr-code.ts'
import { spell } from './spell.ts'
import type { KitWords } from './words.ts'

type Markup = ReturnType<typeof html>

/** What this paper holds of the password: lines to write on, the password itself, or one share of it. */
export function passwordBlock(facts: KitFacts, paper: KitPassword, words: KitWords): Markup {
  switch (paper.form) {
    case 'without':
      return html`<section class="together">
        <h2>${words.password}</h2>
        <p>${words.withoutPassword}</p>
        <p>${words.whereKept}</p>
        <div class="line"></div>
        <div class="line"></div>
      </section>`
    case 'password': {
      const isOnly = paper.passwords.length === 1
      return html`<section>
        <h2>${words.password}</h2>
        <p class="warning">${words.passwordLead}</p>
        ${paper.passwords.map(({ letter, secret }) => {
          const password = secret.reveal()
          return html`<article class="secret">
            ${isOnly ? '' : html`<h3>${words.passwordNamed(letter, false)}</h3>`}
            <div class="code">
              <div class="letters"><code>${password}</code></div>
              ${pictureOf(password, words)}
            </div>
            <h4>${words.spelled}</h4>
            <ol class="spelled">
              ${spell(password, facts.language).map(({ letter: one, word }) => html`<li><code>${one}</code> ${word}</li>`)}
            </ol>
          </article>`
        })}
      </section>`
    }
    case 'shares': {
      const share = paper.share.reveal()
      return html`<section class="together">
        <h2>${words.share(paper.number, paper.count)}</h2>
        <p>${words.shareLead(paper.needed, paper.count)}</p>
        <article class="secret">
          <div class="code">
            <div class="letters groups">
              <code>${share.split('-').map((group) => html`<span>${group}</span> `)}</code>
            </div>
            ${pictureOf(share, words)}
          </div>
        </article>
        <p>${words.shareHolders}</p>
        <div class="line"></div>
      </section>`
    }
    default:
      return paper satisfies never
  }
}

/** The code is a picture made of the text alone, so it needs no escaping. */
function pictureOf(text: string, words: KitWords): Markup {
  return html`<figure>
    ${raw(qrCode(text))}
    <figcaption>${words.camera}</figcaption>
  </figure>`
}
