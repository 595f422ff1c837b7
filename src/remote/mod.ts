/**
 * Another server, reached by the system's `ssh` without an agent of ours there: files are listed by one `find` or over
 * SFTP, read over SFTP, and programs are run by argument list.
 *
 * Its words: a *connection* is one login, a *session* one program or SFTP within it; `there` is the other server. Paths
 * and names are bytes, each one character (latin1). It knows nothing of repositories or projects, and never believes
 * what the other side says about lengths or names.
 */
export { joinPath, type Entry, type EntryFacts, type EntryType, type Path } from './entry.ts'
export { remoteError } from './errors.ts'
export { RemoteFiles } from './files.ts'
export { checkEnd, runInShell, streamThere, type RemoteCall } from './run-program.ts'
export type { SftpOptions } from './sftp-exchange.ts'
export { SftpClient, type SftpHandle, type Space } from './sftp.ts'
export { lastLines, placeOf, sshArguments, sshEnvironment, type SshTarget } from './ssh-arguments.ts'
export { explainEnd, SshConnection, type SshOptions } from './ssh.ts'
