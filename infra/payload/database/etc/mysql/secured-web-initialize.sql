-- Run by mysqld while it makes the data directory. It lies here because AppArmor lets mysqld read /etc/mysql. No
-- SHUTDOWN at its end: mysqld ends by itself, and a SHUTDOWN races with its last step (seen: "System views
-- initialization failed", once in three).
USE mysql;
INSTALL PLUGIN auth_socket SONAME 'auth_socket.so';
ALTER USER 'root'@'localhost' IDENTIFIED WITH 'auth_socket';
