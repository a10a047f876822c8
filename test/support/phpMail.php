<?php
// Reads and saves mail settings as a release of OpenEMR does, by the rules of its ciphertexts and keys alone: its login from
// sqlconf.php, its empty sql_mode. It shares nothing with what it is to check. As on OpenEMR's page of settings, a value is deleted
// and inserted anew. Arguments: the sites directory, the newest version that the release reads and writes, "read" or "save".

[, $sites, $newest, $act] = $argv;
$site = 'default';
require "$sites/$site/sqlconf.php";
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = mysqli_init();
$tls = is_file("$sites/$site/documents/certificates/mysql-ca");
$db->real_connect($sqlconf['host'], $sqlconf['login'], $sqlconf['pass'], $sqlconf['dbase'], (int) $sqlconf['port'], null,
  $tls ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0);
$db->set_charset('utf8mb4');
$db->query("SET sql_mode = ''");
$words = [4 => 'four', 5 => 'five', 6 => 'six', 7 => 'seven'];
function key_of($side, $label) {
  global $db, $sites, $site;
  if ($side === 'database') {
    $found = $db->execute_query('SELECT value FROM `keys` WHERE name = ?', [$label])->fetch_row();
    return base64_decode($found[0], true);
  }
  $file = file_get_contents("$sites/$site/documents/logs_and_misc/methods/$label");
  return preg_match('/^00[1-7]/', $file) ? opened($file, 'database', 7) : base64_decode($file, true);
}
function opened($text, $side, $newest) {
  global $words;
  if (!preg_match('/^00([4-7])(.+)$/s', $text, $found) || $found[1] > $newest) return null;
  $raw = base64_decode($found[2], true);
  $sealed = substr($raw, 48);
  $word = $words[(int) $found[1]];
  if (!hash_equals(hash_hmac('sha384', $sealed, key_of($side, $word . 'b'), true), substr($raw, 0, 48))) return null;
  return openssl_decrypt(substr($sealed, 16), 'aes-256-cbc', key_of($side, $word . 'a'), OPENSSL_RAW_DATA, substr($sealed, 0, 16));
}
function sealed($text, $version) {
  global $words;
  $iv = random_bytes(16);
  $sealed = $iv . openssl_encrypt($text, 'aes-256-cbc', key_of('drive', $words[$version] . 'a'), OPENSSL_RAW_DATA, $iv);
  return "00$version" . base64_encode(hash_hmac('sha384', $sealed, key_of('drive', $words[$version] . 'b'), true) . $sealed);
}
if ($act === 'save') {
  [$user, $password] = json_decode(stream_get_contents(STDIN));
  foreach (['SMTP_USER' => trim($user), 'SMTP_PASS' => sealed(trim($password), (int) $newest)] as $name => $value) {
    $db->execute_query('DELETE FROM globals WHERE gl_name = ?', [$name]);
    $db->execute_query('INSERT INTO globals (gl_name, gl_index, gl_value) VALUES (?, 0, ?)', [$name, $value]);
  }
}
$rows = $db->query("SELECT gl_name, gl_value FROM globals WHERE gl_name IN ('SMTP_USER', 'SMTP_PASS') AND gl_index = 0")->fetch_all();
$values = array_column($rows, 1, 0);
$password = opened($values['SMTP_PASS'] ?? '', 'drive', (int) $newest);
echo json_encode(['user' => $values['SMTP_USER'] ?? '', 'password' => $password, 'version' => substr($values['SMTP_PASS'] ?? '', 0, 3)]);
