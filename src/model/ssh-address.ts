import type { Project, SshHost } from './project.ts'

/** Reads `ssh://user@host:port`; undefined when it is something else. */
export function parseSshAddress(text: string): Pick<SshHost, 'kind' | 'user' | 'host' | 'port'> | undefined {
  const match = /^ssh:\/\/(?:([^\s:@/]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?\/?$/.exec(text)
  if (!match) return undefined
  const [, user, host, port] = match
  return { kind: 'ssh', host: host!, ...(user && { user }), ...(port && { port: Number(port) }) }
}

/**
 * The project as it will be on a server that is named for one restore. On its own server, which another user may write to, its key and
 * known hosts are those of the configuration; on another they are those of ssh, and nobody is asked for its health, because the
 * address of that is the one of the project where it was.
 */
export function movedTo(project: Project, address: SshHost): Project {
  if (isOn(project, address)) return { ...project, on: { ...project.on, ...address } }
  const { health: _, ...restore } = project.restore
  return { ...project, on: address, restore }
}

/** Whether that is the server that the project is on, whoever logs in. */
export function isOn({ on }: Pick<Project, 'on'>, { host }: Pick<SshHost, 'host'>): boolean {
  return on?.kind === 'ssh' && on.host === host
}
