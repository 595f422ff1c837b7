import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DumpReader, type DumpSummary } from './count-inserts.ts'

const beginning = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: it's
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
`
const trailer = '-- Dump completed\n'

function table(name: string, rows: string): string {
  return `DROP TABLE IF EXISTS ${name};
CREATE TABLE ${name} (
  \`id\` int(11) DEFAULT '(' COMMENT 'it''s \\n\`'
) ENGINE=InnoDB;
LOCK TABLES ${name} WRITE;
/*!40000 ALTER TABLE ${name} DISABLE KEYS */;
${rows}/*!40000 ALTER TABLE ${name} ENABLE KEYS */;
UNLOCK TABLES;
`
}

function read(dump: string | Buffer, pieceBytes = 1 << 20): DumpSummary {
  const reader = new DumpReader()
  const bytes = Buffer.from(dump as string)
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes))
  return reader.end()
}

/** The rows of a dump that must be whole, however it is cut into pieces. */
function rowsOf(dump: string): Record<string, number> {
  const whole = read(dump)
  assert.equal(whole.fault, undefined)
  for (const pieceBytes of [1, 2, 3, 7, 64]) assert.deepEqual(read(dump, pieceBytes), whole, `${pieceBytes}`)
  return Object.fromEntries(whole.rows)
}

test('rows are counted as MariaDB writes them, a row a line', () => {
  const rows =
    "INSERT INTO `a` VALUES\n(1,'it\\'s (a), \\\\'),\n(2,NULL),\n(3,0x00FF);\nINSERT INTO `a` VALUES\n(4,'');\n"
  assert.deepEqual(rowsOf(beginning + table('`a`', rows) + table('`empty`', '') + trailer), { a: 4, empty: 0 })
})

test('rows are counted as MySQL writes them, a statement a line', () => {
  const rows =
    "INSERT INTO `a` VALUES (1,'it\\'s (a), \\\\'),(2,NULL),(3,_binary '\\0);('),(-4,'''');\nINSERT INTO `a` VALUES ('\\\\');\n"
  assert.deepEqual(rowsOf(beginning + table('`a`', rows) + trailer), { a: 5 })
})

test('rows are counted with columns named, and with the first row on the line of the statement', () => {
  const rows = "INSERT INTO `a` (`id`, `we``ird (`, row_start) VALUES (1,'x'),\n(2,'y');\n"
  assert.deepEqual(rowsOf(beginning + table('`a`', rows) + trailer), { a: 2 })
})

test('names with quotes, line feeds and words of SQL are names', () => {
  const names = ['`odd ``name`` "of"`', '`two\nlines`', '`INSERT INTO`', '`VALUES (`', '`é数`']
  const dump = names.map((name) => table(name, `INSERT INTO ${name} VALUES\n(1),\n(2);\n`)).join('')
  assert.deepEqual(rowsOf(beginning + dump + trailer), {
    'odd `name` "of"': 2,
    'two\nlines': 2,
    'INSERT INTO': 2,
    'VALUES (': 2,
    é数: 2,
  })
})

const body = `BEGIN
  -- a ' in a comment
  # and " another
  /* INSERT
INSERT INTO \`a\` VALUES (1);
  */
  SELECT 'x
INSERT INTO \`a\` VALUES (1),(2);
-- Dump completed
UNLOCK TABLES;
', "it's \\" \\\\", \`DELIMITER ;\`;
END`

test('what stands in routines, triggers and events is no row, no trailer and no table', () => {
  const programs = `DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`localhost\`*/ /*!50003 trigger tr before insert on a for each row ${body} */;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`u\`@\`%\`*/ /*!50106 EVENT \`e\` ON SCHEDULE EVERY 1 DAY DO ${body} */ ;;
CREATE DEFINER=\`root\`@\`localhost\` PROCEDURE \`p\`() ${body} ;;
DELIMITER ;
`
  const dump = beginning + table('`a`', 'INSERT INTO `a` VALUES\n(1);\n') + programs + trailer
  assert.deepEqual(rowsOf(dump), { a: 1 })
  const { triggers, events, routines } = read(dump)
  assert.deepEqual({ triggers, events, routines }, { triggers: 1, events: 1, routines: 1 })
})

test('a routine in which backslashes are no escapes is read so', () => {
  const routine = `/*!50003 SET sql_mode              = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;
DELIMITER ;;
CREATE DEFINER="root"@"localhost" FUNCTION "f"() RETURNS text
return 'ends with \\';;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
`
  const dump = beginning + routine + table('`a`', "INSERT INTO `a` VALUES\n('\\'),\\'');\n") + trailer
  assert.deepEqual(rowsOf(dump), { a: 1 })
  assert.equal(read(dump).routines, 1)
})

test('sequences and views are seen by their final form', () => {
  const more = `CREATE SEQUENCE \`s\` start with 1;
/*!50001 CREATE VIEW \`v\` AS SELECT
 1 AS \`id\` */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=\`root\`@\`localhost\` SQL SECURITY DEFINER */
/*!50001 VIEW \`v\` AS select 1 AS \`id\` */;
`
  const { sequences, views } = read(beginning + more + trailer)
  assert.deepEqual([[...sequences], [...views]], [['s'], ['v']])
  assert.equal(read(beginning + more.slice(0, 90) + trailer).views.size, 0)
})

const whole = beginning + table('`a`', "INSERT INTO `a` VALUES\n(1,'x'),\n(2,'y');\n") + trailer
const faults: Record<string, [dump: string, fault: RegExp]> = {
  'nothing at all': ['', /Dump completed/],
  'no trailer': [whole.replace(trailer, ''), /Dump completed/],
  'half a trailer': [whole.slice(0, -4), /Dump completed/],
  'something after the trailer': [`${whole}DROP TABLE a;\n`, /follows/],
  'an end within the rows': [whole.slice(0, whole.indexOf("(2,'y'")), /rows of table a break off/],
  'an end within a row': [whole.slice(0, whole.indexOf("'y'") + 1), /rows of table a break off/],
  'a row that is cut': [whole.replace("'x'),", "'x"), /broken off/],
  'a row without a beginning': [whole.replace("\n(2,'y'", "\n'y'"), /between/],
  'rows of a table that is not open': [whole.replace('LOCK TABLES `a` WRITE;', ''), /outside/],
  'rows that an option file chose': [whole.replace('LOCK TABLES', '-- WHERE:  id = 1\n\nLOCK TABLES'), /option file/],
  'a string that has no end': [whole.replace("DEFAULT '('", "DEFAULT '("), /Dump completed/],
}
for (const [what, [dump, fault]] of Object.entries(faults)) {
  test(`a dump with ${what} is not whole`, () => {
    for (const pieceBytes of [1, 5, 1 << 20]) assert.match(read(dump, pieceBytes).fault!, fault)
  })
}

test('a dump cut at any byte but the last is not whole', () => {
  for (let length = 0; length < whole.length - 1; length++) {
    assert.notEqual(read(whole.slice(0, length)).fault, undefined, `${length}`)
  }
})

test('the dump is known to change the database that it names', () => {
  assert.ok(!read(whole).changesDatabase)
  assert.ok(read(whole.replace(trailer, `ALTER DATABASE \`a\` CHARACTER SET latin1 ;\n${trailer}`)).changesDatabase)
})
