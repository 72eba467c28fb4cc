-- The agent, by its unix user: figures of the server and of the group. No row of the application, no statement's text
-- but of those that run now (PROCESS, without which InnoDB tells nothing).
CREATE USER IF NOT EXISTS 'telegraf'@'localhost' IDENTIFIED WITH auth_socket;
ALTER USER 'telegraf'@'localhost' IDENTIFIED WITH auth_socket WITH MAX_USER_CONNECTIONS 5;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'telegraf'@'localhost';
GRANT SELECT ON performance_schema.replication_group_members TO 'telegraf'@'localhost';
GRANT SELECT ON performance_schema.replication_group_member_stats TO 'telegraf'@'localhost';
