import { mariadbShop, postgresqlShop, type Shop } from './scene.ts'

const rowsOfDay = 3

/** What the owner of the shop wants to know; the same for both servers but for words of SQL. */
const testing = `uploads: { query: select picture from product, folder: uploads }
fresh: { query: select max(ordered_at) from orders, within: ${rowsOfDay} days }
assertions:
  - { sql: select count(*) from customer, at-least: 10 }
  - { sql: select name from customer where id = 7, is: "Café Zürich €7" }`

export function shopOnPostgresql(format: 'plain' | 'custom' = 'plain', more = ''): Promise<Shop> {
  return postgresqlShop(postgresqlSchema, testing + more, format)
}

export function shopOnMariadb(more = ''): Promise<Shop> {
  return mariadbShop(mariadbSchema, testing + more)
}

const postgresqlSchema = `
create extension if not exists plpgsql;
create extension pgcrypto;
set role shopkeeper;
create table customer (id serial primary key, name text not null, mail text unique);
insert into customer (name, mail) select 'Café Zürich €' || n, 'c' || n || '@example.org' from generate_series(1, 200) n;
create table product (id serial primary key, name text not null, price numeric(10, 2) check (price >= 0), picture text);
insert into product (name, price, picture) select 'product ' || n, n * 1.25, n || '.jpg' from generate_series(1, 20) n;
create table orders (id bigserial primary key, customer int not null references customer, ordered_at timestamptz not null default now(), note text);
insert into orders (customer, ordered_at, note) select 1 + n % 200, now() - n * interval '1 minute', repeat('x', n % 50) from generate_series(1, 1000) n;
create index orders_by_day on orders (ordered_at);
create table line (orders bigint references orders on delete cascade, product int references product, amount int, primary key (orders, product));
insert into line select n, 1 + n % 20, 1 + n % 3 from generate_series(1, 1000) n;
create table empty_one (id int primary key);
create view bigger as select * from product where price > 10;
create function total(bigint) returns numeric language sql stable as 'select sum(amount * price) from line join product on product.id = line.product where orders = $1';
create materialized view sales as select product, sum(amount) as amount from line group by product;
grant select on customer to reader;
reset role;
create table hashed (id int, word text);
insert into hashed select n, encode(digest(n::text, 'sha256'), 'hex') from generate_series(1, 10) n;
`

const mariadbSchema = `
create table customer (id int primary key auto_increment, name varchar(100) not null, mail varchar(100) unique);
insert into customer (name, mail) select concat('Café Zürich €', seq), concat('c', seq, '@example.org') from seq_1_to_200;
create table product (id int primary key auto_increment, name varchar(100) not null, price decimal(10, 2), picture varchar(100));
insert into product (name, price, picture) select concat('product ', seq), seq * 1.25, concat(seq, '.jpg') from seq_1_to_20;
create table orders (id bigint primary key auto_increment, customer int not null, ordered_at timestamp not null default now(), note text,
  key orders_by_day (ordered_at), constraint of_customer foreign key (customer) references customer (id));
insert into orders (customer, ordered_at, note) select 1 + seq % 200, now() - interval seq minute, repeat('x', seq % 50) from seq_1_to_1000;
create table line (orders bigint, product int, amount int, primary key (orders, product),
  constraint of_order foreign key (orders) references orders (id), constraint of_product foreign key (product) references product (id));
insert into line select seq, 1 + seq % 20, 1 + seq % 3 from seq_1_to_1000;
create table empty_one (id int primary key);
create sequence invoice_number start with 100;
create definer = shopkeeper@localhost view bigger as select * from product where price > 10;
create view dearest as select max(price) as price from product;
create procedure cheapen() update product set price = price * 0.9;
create trigger before_line before insert on line for each row set new.amount = greatest(new.amount, 1);
create event nightly on schedule every 1 day do delete from empty_one;
`
