CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS app.notes (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  text VARCHAR(500) NOT NULL,
  web_host VARCHAR(255) NOT NULL,
  database_host VARCHAR(255) NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  KEY created_at (created_at),
  UNIQUE KEY idempotency_key (idempotency_key)
) ENGINE = InnoDB;

-- Small writes of the health checks (app/beats.ts).
CREATE DATABASE IF NOT EXISTS secured_web_health;
CREATE TABLE IF NOT EXISTS secured_web_health.beats (
  member VARCHAR(255) CHARACTER SET ascii PRIMARY KEY,
  beat BIGINT UNSIGNED NOT NULL,
  at TIMESTAMP(3) NOT NULL
) ENGINE = InnoDB;
