import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { assertNone } from './assert-none.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = 'tests/architecture/documents.test.ts'
const notOurs = ['.git', 'node_modules', 'dist', 'coverage', 'package-lock.json', 'tests/fixtures']
const texts = globSync(['**/*.{ts,js,json,md,yaml,yml,sh}', '.ci/*', 'LICENSE', '.gitignore'], {
  cwd: root,
  exclude: (path) => notOurs.some((name) => path === name || path.startsWith(`${name}/`)),
})
  .filter((path) => path !== here && statSync(join(root, path)).isFile())
  .toSorted()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const documents = texts.filter(({ path }) => path.endsWith('.md'))

interface Forbidden {
  readonly pattern: RegExp
  readonly because: string
}

const forbidden: readonly Forbidden[] = [
  { pattern: /(?<![\w.~$}-])\/(?:work|farm)\//, because: 'a path of one machine means nothing on another' },
  { pattern: /\b(?:FIXME|XXX|HACK)\b/, because: 'what is not done has a TODO(condition) that says when it ends' },
  { pattern: /\bTODO(?!\([^)]+\))/, because: 'a TODO names the condition that ends it: TODO(condition)' },
  { pattern: /\b(?:simply|obviously|seamless(?:ly)?|blazing(?:ly)?|military.grade)\b/i, because: 'facts persuade' },
  { pattern: /\b(?:blacklist|whitelist)\b/i, because: 'say "refused" or "allowed"' },
  { pattern: /\b(?:100 ?% secure|unbreakable|legally binding)\b/i, because: 'nobody can promise it' },
]

test('no text has paths of one machine, loose ends or words that only persuade', () => {
  assertNone(
    texts.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          forbidden
            .filter(({ pattern }) => pattern.test(line))
            .map(({ because }) => `${path}:${index + 1} ${line.trim().slice(0, 100)}; ${because}`),
        ),
    ),
  )
})

test('every link between documents leads somewhere', () => {
  assertNone(
    documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path} links to ${target}, which is not there`),
    ),
  )
})

test('every test, source or script that a document names is there', () => {
  assertNone(
    documents.flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|tests|scripts|docs|bin|changes)\/[\w./-]*\w)(?:\/)?`/g)]
        .map((match) => match[1]!)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path} names ${target}, which is not there`),
    ),
  )
})

test('every npm script that a document names is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  assertNone(
    documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm (?:run )?(test|demo|(?<=run )[a-z:]+)/g)]
        .map((match) => match[1]!)
        .filter((name) => !(name in scripts))
        .map((name) => `${path} names npm run ${name}, which is not in package.json`),
    ),
  )
})

test('every decision states its context, the decision, the cost and when to revisit it', () => {
  const decisions = documents.filter(({ path }) => /^docs\/decisions\/\d/.test(path))
  const parts = ['## Context', '## Decision', '## Cost', '## Revisit when']
  assertNone(
    decisions.flatMap(({ path, text }) =>
      parts.filter((part) => !text.includes(`\n${part}\n`)).map((part) => `${path} has no part "${part}"`),
    ),
  )
})
