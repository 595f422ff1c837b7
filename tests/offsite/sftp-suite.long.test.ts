import { sftpSuite } from './sftp-suite.ts'

sftpSuite('as OpenSSH comes', '')
sftpSuite('without any extension', 'hardlink,fsync,posix-rename,statvfs,limits')
