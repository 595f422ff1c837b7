import { sftpSuite } from './sftp-suite.ts'

sftpSuite('as OpenSSH comes', '')
