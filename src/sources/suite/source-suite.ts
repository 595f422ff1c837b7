import assert from 'node:assert/strict'
import { lstatSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import type { Content } from '#engine'
import { dumpSources } from '../dump-sources.ts'
import { localHost } from '../host/local-host.ts'
import type { ArtifactFacts, DumpContext, SourceFinding } from '../source.ts'
import { describeSource, type PlannedSource } from '../table.ts'
import { drainParts } from './drain-parts.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface RecordingContext extends DumpContext {
  readonly findings: SourceFinding[]
  readonly artifacts: ArtifactFacts[]
}

/** A context that keeps what it is told. */
export function recordingContext(folder: string): RecordingContext {
  const findings: SourceFinding[] = []
  const artifacts: ArtifactFacts[] = []
  return {
    host: localHost(folder),
    temporaryFolder: folder,
    findings,
    artifacts,
    report: (finding) => void findings.push(finding),
    record: (artifact) => void artifacts.push(artifact),
  }
}

/** A project with something for one source to take. */
export interface SourceCase {
  /** Makes the project in an empty folder, and says what to dump. */
  readonly prepare: (path: string) => Promise<PlannedSource>
}

/** What every source promises, whatever it dumps. */
export function sourceSuite(name: string, { prepare }: SourceCase): void {
  suite(`source ${name}`, () => {
    test('says in words what it takes', async () => {
      await using scene = await makeScene(prepare)
      const { takes } = describeSource(scene.source)
      assert.ok(takes.length > 0)
      for (const line of takes) assert.match(line, /\S/)
    })

    test('gives the same bytes each time that nothing changed', async () => {
      await using scene = await makeScene(prepare)
      const first = await drainParts(await scene.dump())
      const second = await drainParts(await scene.dump())
      assert.ok(first.size > 0)
      assert.deepEqual([...second.keys()], [...first.keys()])
      for (const [path, bytes] of first) assert.ok(Buffer.from(bytes).equals(second.get(path)!), path)
    })

    test('changes nothing in the project', async () => {
      await using scene = await makeScene(prepare)
      const before = inventory(scene.project)
      await drainParts(await scene.dump())
      assert.deepEqual(inventory(scene.project), before)
    })

    test('leaves nothing behind in the temporary folder', async () => {
      await using scene = await makeScene(prepare)
      await drainParts(await scene.dump())
      assert.deepEqual(readdirSync(scene.context.temporaryFolder), [])
    })

    test('leaves nothing behind when its consumer stops early, or somebody stops the run', async () => {
      await using scene = await makeScene(prepare)
      for (const content of contentsOf(await scene.dump())) {
        if (content.kind !== 'stream') continue
        for await (const piece of content.open()) {
          assert.ok(piece)
          break
        }
        const stop = new AbortController()
        stop.abort(new Error('stopped'))
        await assert.rejects(Array.fromAsync(content.open(stop.signal)), { message: 'stopped' })
      }
      assert.deepEqual(readdirSync(scene.context.temporaryFolder), [])
    })
  })
}

async function makeScene(prepare: SourceCase['prepare']) {
  const folder = await temporaryFolder()
  const project = join(folder.path, 'project')
  const temporary = join(folder.path, 'temporary')
  await mkdir(project)
  await mkdir(temporary, { mode: 0o700 })
  const source = await prepare(project)
  const context = recordingContext(temporary)
  return {
    project,
    source,
    context,
    dump: () => dumpSources(project, [source], context),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function contentsOf(parts: Awaited<ReturnType<typeof dumpSources>>): Content[] {
  return parts.flatMap((part) => {
    if (part.kind === 'content') return [part.content]
    return part.kind === 'folder' ? [...(part.replace?.values() ?? [])] : []
  })
}

/** Everything in a folder with what tells that it was touched; the folders' times too. */
function inventory(folder: string): string[] {
  const names = ['', ...readdirSync(folder, { recursive: true, encoding: 'latin1' })].sort()
  return names.map((name) => {
    const { mode, size, mtimeNs, ino } = lstatSync(Buffer.from(`${folder}/${name}`, 'latin1'), { bigint: true })
    return [name, mode, size, mtimeNs, ino].join(' ')
  })
}
