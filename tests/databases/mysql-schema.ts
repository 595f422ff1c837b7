const allBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join('')
const allCharacters = Array.from({ length: 127 }, (_, code) => (code + 1).toString(16).padStart(2, '0')).join('')

/** A statement of a database for each thing that makes dumps go wrong. */
export const everything = `
set sql_mode = '';
create table every_type (
  id bigint unsigned primary key auto_increment, t tinyint, de decimal(30,10), f float, d double, bi bit(13),
  c char(10), v varchar(300), tx longtext, bb longblob, vb varbinary(256), b16 binary(16),
  e enum('a','it''s','(x),'), s set('x','y','z('), dt datetime(6), ts timestamp null, da date, ti time(3), y year,
  j json, i6 inet6, u uuid, g geometry, p point, po polygon,
  key (v), fulltext key full_text (tx)
) comment = 'a table''s \\"comment\\"; -- with\\nall';
insert into every_type values
  (1, -1, 12345678901234567890.0123456789, 1.5, 1e300, b'1010101010101', 'c', 'v', 'tx', x'${allBytes}', x'${allBytes}', x'00', 'a', 'x,y',
   '2026-01-01 12:00:00.123456', '2026-06-01 00:00:00', '2026-01-01', '-838:59:59', 2026, '{"a": [1, "ü"]}', '::1', uuid(), point(1, 2), point(3, 4),
   st_geomfromtext('POLYGON((0 0,0 1,1 1,0 0))')),
  (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (3, 0, 0, 0, 0, 0, '', '', '', '', '', '', 'it''s', '', '0000-00-00', '0000-00-00', '2026-00-00', '00:00:00', 0, '[]', '::', uuid(), null, null, null),
  (4, 1, 1, 1, 1, 1, 'x', unhex('${allCharacters}'), concat('),(\\'', char(10), 'INSERT INTO \`every_type\` VALUES (1);', char(10), '-- Dump completed', char(10)),
   x'', x'', x'', '(x),', 'z(', now(6), now(), now(), now(), 1999, 'null', '10.0.0.1', uuid(), null, null, null);
insert into every_type (v, tx) select concat('row ', seq, ' 😀 é \\\\'), repeat(concat(seq, ''';'), seq) from seq_1_to_300;
set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; insert into every_type (id, v) values (0, 'zero'); set sql_mode = '';

create table latin (v varchar(50)) character set latin1 collate latin1_german2_ci;
insert into latin values ('äöü'), ('\\\\'), ('''');
create table wide_characters (v varchar(50), w text) character set ucs2 collate ucs2_unicode_ci;
insert into wide_characters values ('äöü 数', 'x');
create table plain_bytes (v varchar(50)) character set binary; insert into plain_bytes values (x'${allBytes.slice(0, 60)}');
create table mixed (a varchar(20) character set utf8mb4 collate utf8mb4_bin, b varchar(20) character set cp1251, c varchar(20) character set sjis, d varchar(20) character set gbk);
insert into mixed values ('😀', 'привет', 'ソ表', '縗\\\\');

create table parent (id int primary key, name varchar(20) unique);
create table child (id int primary key auto_increment, parent int, foreign key (parent) references parent (id) on delete cascade);
create table a_child_first (parent int primary key, foreign key (parent) references parent (id));
insert into parent values (1, 'one'), (2, 'two'); insert into child (parent) values (1), (2), (null); insert into a_child_first values (1);

create table generated (id int, twice int as (id * 2) stored, next int as (id + 1) virtual, txt varchar(20) as (concat('(', id, ')')) persistent, hidden int invisible default 7);
insert into generated (id, hidden) values (1, 1), (2, 2);
create table checked (id int check (id > 0), constraint \`odd 'name'\` check (id <> 5)); insert into checked values (1);
create table parts (id int, at date) partition by range (year(at)) subpartition by hash (id) subpartitions 2 (partition p0 values less than (2020), partition p1 values less than maxvalue);
insert into parts select seq, '2010-01-01' + interval seq month from seq_1_to_200;
create table history (id int primary key, v int) with system versioning;
insert into history values (1, 1), (2, 2); update history set v = 3 where id = 1; delete from history where id = 2;
create table squeezed (id int, t text) row_format = compressed; insert into squeezed values (1, repeat('x', 9000));
create table steady (id int) engine = aria; insert into steady values (1), (2);
create table nothing (id int);
create table \`odd \`\`name\`\` "of" 'a' table; --\` (\`the \`\`column\` int, \`a b\` int);
insert into \`odd \`\`name\`\` "of" 'a' table; --\` values (1, 2), (3, 4);
create table \`two
lines\` (x int, key \`k
2\` (x)); insert into \`two
lines\` values (1);
create table \`INSERT INTO\` (\`VALUES\` int); insert into \`INSERT INTO\` values (1), (2), (3);
create table \`${'é'.repeat(64)}\` (x int); insert into \`${'é'.repeat(64)}\` values (1);

create sequence invoice_number start with 1000 increment by 5 cache 10; select nextval(invoice_number);
create view z_first as select id, v from every_type where v like 'row (%';
create view a_second as select count(*) as n from z_first;
create view m_third as select a.n, p.name from a_second a join parent p;
create algorithm = merge sql security invoker view \`odd \`\`view'\` as select 'INSERT INTO \`x\` VALUES (1);' as \`a;b\`;

delimiter ;;
create function double_it(x int) returns int deterministic return x * 2;;
create procedure traps(in a int, out b varchar(100))
begin
  -- a comment with a ' quote
  # another with a " quote
  /* and one
INSERT INTO \`nothing\` VALUES (1),(2);
  with a \` */
  declare s varchar(200) default 'it''s
INSERT INTO \`nothing\` VALUES
(1),
(2);
-- Dump completed
';
  set b = concat("double ' quoted", s, '\\\\', '\\'');
  if a > 0 then set b = 'x;y'; end if;
end;;
set sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES';;
create procedure backslash() begin select 'ends with \\' as "col umn", 'INSERT INTO \`nothing\` VALUES (1);'; end;;
set sql_mode = 'STRICT_ALL_TABLES';;
create trigger before_child before insert on child for each row begin
  -- INSERT INTO \`child\` VALUES (1);
  set new.parent = new.parent; /* a comment */
end;;
create trigger after_child after delete on child for each row insert into nothing values (old.id);;
create event nightly on schedule every 1 day starts '2026-01-01 03:00:00' on completion preserve disable comment 'it''s' do begin delete from nothing; end;;
create event once on schedule at '2030-01-01 00:00:00' do insert into nothing values (1);;
delimiter ;
`
