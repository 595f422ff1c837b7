import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { temporaryFolder } from '#sources/testing'
import { needs } from '../../../tests/needs.ts'
import { readPhp } from './php-array.ts'
import { isArray, isUnknown, plainOf, type PhpValue } from './php-value.ts'

const environment = new Map([
  ['DB_CONNECTION', 'pgsql'],
  ['DB_HOST', 'db.example.org'],
  ['DB_FOREIGN_KEYS', 'false'],
  ['APP_NAME', 'My shop'],
  ['APP_URL', 'https://shop.example.org/'],
  ['NOTHING', 'null'],
  ['DATABASE_URL', 'postgres://ann:secret@db:5433/shop?sslmode=require'],
])
const surroundings = { environment, base: '/var/www/shop', folder: '/var/www/shop/config' }

function read(expression: string): unknown {
  const { value, troubles } = readPhp(`<?php return ${expression};`, surroundings)
  assert.deepEqual(troubles, [], expression)
  return isUnknown(value) ? 'unknown' : plainOf(value)
}

/** Expressions that PHP gives the same value. */
const expressions = [
  "'it\\'s \\\\ \\n'",
  '"tab\\t \\x41 \\u{1F600} \\101 \\$a \\q"',
  '0x1F + 0b11 + 017 + 1_000',
  '-1.5e3',
  'TRUE && !null',
  "'a' . 'b' . 1 . true . null",
  '1 + 2 * 3 - 4 % 3',
  "'1' + 2 . 'x'",
  '[1, 2, [3]]',
  "array('a' => 1, 'b' => array(), 5 => 'five', 'six')",
  "['x' => 1, 'x' => 2,]",
  "['1' => 'a', 1 => 'b', true => 'c', null => 'd']",
  '[...[1, 2], 3]',
  "['a' => 1] + ['a' => 2, 'b' => 3]",
  "array_merge(['a' => 1, 7], ['a' => 2, 8])",
  "array_filter(['a' => null, 'b' => 0, 'c' => 'x', 'd' => '0'])",
  "env('DB_HOST', 'x')",
  "env('MISSING')",
  "env('MISSING', 'fallback')",
  "env('MISSING', env('DB_HOST'))",
  "env('NOTHING', 'x')",
  "env('DB_FOREIGN_KEYS', true)",
  "env('MISSING') ?: 'other'",
  "env('MISSING') ?? 'other'",
  "env('DB_HOST') ? 'yes' : 'no'",
  "(env('A') ?: env('B')) ?: 'c'",
  "storage_path('app/private') . '|' . base_path() . '|' . public_path('/uploads')",
  "database_path('database.sqlite')",
  "rtrim(env('APP_URL', 'http://localhost'), '/').'/storage'",
  "(string) 5 . (int) '12abc'",
  '(bool) "0"',
  "explode(',', 'a,b,,c')",
  "implode('-', ['a', 1, true])",
  "strtolower('ABC') . strtoupper('def')",
  "str_replace('/', '_', 'a/b/c')",
  "substr('/shop', 1) . substr('shop', 0, -1)",
  "parse_url(env('DATABASE_URL'))",
  "parse_url(env('DATABASE_URL'))['host']",
  "ltrim(parse_url(env('DATABASE_URL'))['path'], '/')",
  "1 == '1' && '1' != 'a' && 1 === 1 && '1' !== 1 && null == false && 'a' == 'a'",
  "3 > 2 && 2 >= 2 && 1 < 2 && '10' > '9'",
  "dirname('/a/b/c')",
  "'' === env('MISSING', '')",
  '2 ** 3 <=> 1',
  "fn () => ['a' => 1]",
] as const

const helpers = `
function env($key, $default = null) {
  $all = json_decode(getenv('FIXTURE_ENVIRONMENT'), true);
  if (!array_key_exists($key, $all)) return $default;
  return match (strtolower($all[$key])) { 'true' => true, 'false' => false, 'null' => null, 'empty' => '', default => $all[$key] };
}
foreach (['base_path' => '', 'storage_path' => '/storage', 'database_path' => '/database', 'public_path' => '/public'] as $name => $folder) {
  eval("function $name(\\$path = '') { return '/var/www/shop$folder' . (\\$path === '' ? '' : '/' . ltrim(\\$path, '/')); }");
}
eval('namespace Illuminate\\\\Support; class Str { static function slug($text, $glue = "-") { return "slug"; } }');
`

/** What PHP itself gives for each file. */
function runPhp(files: readonly string[]): unknown[] {
  const script = `${helpers} $all = []; foreach (array_slice($argv, 1) as $file) { $value = require $file; $all[] = $value instanceof Closure ? null : $value; } echo json_encode($all);`
  const output = execFileSync('php', ['-d', 'error_reporting=0', '-r', script, '--', ...files], {
    env: { ...process.env, FIXTURE_ENVIRONMENT: JSON.stringify(Object.fromEntries(environment)) },
  })
  return JSON.parse(output.toString()) as unknown[]
}

/** Compares all that is known; what is unknown is counted. */
function compare(value: PhpValue, real: unknown, where: string): string[] {
  if (isUnknown(value)) return [where]
  if (!isArray(value)) {
    assert.equal(value, real, where)
    return []
  }
  const table = (real ?? {}) as Readonly<Record<string, unknown>>
  if (!value.isPartial) assert.deepEqual([...value.entries.keys()].sort(), Object.keys(table).sort(), where)
  return [...value.entries].flatMap(([key, one]) => compare(one, table[key], `${where}/${key}`))
}

test('expressions have the value that PHP gives them', { skip: needs('php') }, async () => {
  await using folder = await temporaryFolder()
  const sources = expressions.map((expression) => `<?php return ${expression};`)
  const files = sources.map((source, nth) => {
    const file = join(folder.path, `${nth}.php`)
    writeFileSync(file, source)
    return file
  })
  const unknown = runPhp(files).flatMap((real, nth) =>
    compare(readPhp(sources[nth]!, surroundings).value, real, expressions[nth]!),
  )
  assert.deepEqual(unknown, ['2 ** 3 <=> 1', "fn () => ['a' => 1]"])
})

const applications = new URL('../../../tests/fixtures/applications/', import.meta.url).pathname

test('settings files have the values that PHP gives them', { skip: needs('php') }, () => {
  const files = ['herdenkingsportaal/config/database.php', 'herdenkingsportaal/config/filesystems.php']
  const unknown = runPhp(files.map((file) => applications + file)).flatMap((real, nth) => {
    const { value, troubles } = readPhp(readFileSync(applications + files[nth]!, 'utf8'), surroundings)
    assert.deepEqual(troubles, [])
    return compare(value, real, '')
  })
  assert.deepEqual(unknown, ['/redis/options/prefix'])
})

test('what is not understood is unknown, and nothing around it', () => {
  const source = `<?php
    declare(strict_types=1);
    namespace App;
    use Illuminate\\Support\\Str;
    // a comment with 'quotes' and ?
    # another
    /* [ ( { */
    $url = parse_url(getenv('DATABASE_URL'));
    $made = make_it(['a' => 1]);
    return [
      'known' => $url['host'],
      'slug' => Str::slug(env('APP_NAME')).'_x',
      'closure' => function ($a) { return ['x' => $a]; },
      'arrow' => fn ($a) => $a->b ?? [1, 2],
      'object' => new Thing(['a' => 1]),
      'call' => app('x')->make('y')['z'],
      'match' => match (true) { default => 1, 2 => 3 },
      'made' => $made,
      'text' => "host {$url['host']} $made",
      'document' => <<<'EOT'
        it's 'here' ] )
        EOT,
      'constant' => \\PDO::ATTR_CASE,
      \\PDO::ATTR_CASE => 'gone',
      (PHP_VERSION_ID >= 80500 ? \\Pdo\\Mysql::ATTR_SSL_CA : \\PDO::MYSQL_ATTR_SSL_CA) => env('CA'),
      'either' => PHP_VERSION_ID >= 80500 ? 'same' : 'same',
      'named' => env(default: 'x', key: 'y'),
      'inner' => ['a' => unknown_thing(), 'b' => 'kept'],
      'last' => 'kept',
    ];`
  const { value, troubles } = readPhp(source, surroundings)
  assert.deepEqual(troubles, [])
  assert.ok(isArray(value) && value.isPartial)
  const known = Object.fromEntries(Object.entries(plainOf(value) as object).filter(([, one]) => one !== undefined))
  assert.deepEqual(JSON.parse(JSON.stringify(known)), {
    known: 'db',
    either: 'same',
    inner: { b: 'kept' },
    last: 'kept',
  })
  assert.equal(value.entries.size, 15)
})

test('an array knows the variables that its entries ask for', () => {
  const { value } = readPhp(
    "<?php return ['a' => ['x' => env('A', env('B'))], 'b' => ['x' => 1], 'c' => ['y' => ['z' => env('C')]]];",
    surroundings,
  )
  assert.ok(isArray(value))
  const variables = [...value.entries.values()].map((one) => (isArray(one) ? [...(one.variables ?? [])].sort() : []))
  assert.deepEqual(variables, [['A', 'B'], [], ['C']])
})

test('what cannot be read is said with its line', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['', 1],
    ['return [];', 1],
    ['<?php\n\n$a = 1;', 3],
    ["<?php\nreturn ['a' => 'b\n", 2],
    ['<?php return [1, 2;', 1],
    ['<?php return \u0001;', 1],
    ["<?php\nif (true) {\n  return ['a' => 1];\n}\nreturn ['a' => 2];", 3],
  ]
  for (const [source, line] of cases) {
    const { troubles, value } = readPhp(source, surroundings)
    assert.ok(troubles.length > 0 || isUnknown(value), source)
    if (troubles[0]) assert.equal(troubles[0].line, line, source)
  }
  assert.equal(read('unknown_function()'), 'unknown')
})

test('any text is read, whatever it is', () => {
  const signs = '[ ] ( ) { } => , ; ? : ?? . $a = \'x\' "y" env return -> :: ! - ... /* // " \' \\'.split(' ')
  const words = ['fn', 'function', 'new', 'array', '1', 'use', 'match', '<<<A\n', '\n', ' ']
  const bits = fc.constantFrom(...signs, ...words)
  const text = fc.oneof(
    fc.string(),
    fc.array(bits, { maxLength: 100 }).map((parts) => parts.join(' ')),
  )
  fc.assert(
    fc.property(text, fc.boolean(), (text, isReturned) => {
      const { value } = readPhp(`<?php ${isReturned ? 'return ' : ''}${text}`, surroundings)
      assert.notEqual(value, undefined)
    }),
    { numRuns: 500 },
  )
})

test('hostile files end soon', () => {
  const long = (1 << 18) - 100
  const pieces = [
    '[',
    '(',
    '!',
    '-',
    '1?',
    '1?1:',
    '[[',
    'array(',
    'f(',
    '/*',
    '<<<A\n',
    "'",
    '"\\',
    '$a=',
    '$a??',
    '1**',
    '{',
    '[1,',
    '#[',
    '...',
  ]
  const sources = pieces.flatMap((piece) => [
    piece.repeat(long / piece.length),
    `return [${piece.repeat(long / piece.length)}`,
  ])
  const doublings = [
    `$a='abc';${'$a=$a.$a;'.repeat(9_000)}return $a;`,
    `$a=[1];${'$a=[...$a,...$a];'.repeat(9_000)}return $a;`,
    `$a=[1];${'$a=array_merge($a,$a);'.repeat(9_000)}return $a;`,
    `$a='aa';${"$a=str_replace('a','aa',$a);".repeat(7_000)}return $a;`,
    `$a='${'a'.repeat(9000)}';${'$b=strtolower($a);'.repeat(9_000)}return $a;`,
    `return [${"'a' => env('A'),".repeat(15_000)}];`,
    `return implode('${'x'.repeat(8000)}', [${'1,'.repeat(100_000)}]);`,
  ]
  for (const source of [...sources, ...doublings]) {
    const begin = performance.now()
    readPhp(`<?php ${source}`, surroundings)
    const seconds = (performance.now() - begin) / 1000
    assert.ok(seconds < 30, `${JSON.stringify(source.slice(0, 20))}: ${seconds} s`)
  }
})
