import { sftpSuite } from './sftp-suite.ts'

for (const extension of ['hardlink', 'fsync', 'posix-rename', 'statvfs', 'limits']) {
  sftpSuite(`without ${extension}`, extension)
}
sftpSuite('with no other rename than the one that replaces', 'hardlink,rename')
sftpSuite('without any extension', 'hardlink,fsync,posix-rename,statvfs,limits')
