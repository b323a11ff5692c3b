"""exim.py: Exim 4 as the bouncing side."""

import remote

CONF = f"""
primary_hostname = {remote.HOST[0]}
qualify_domain = remote.example
disable_ipv6 = true
local_interfaces = 0.0.0.0
host_lookup = *
host_lookup_order = byaddr
rfc1413_query_timeout = 0s
tls_advertise_hosts =
dsn_advertise_hosts = *
keep_environment =
never_users = root
acl_smtp_rcpt = accept
acl_smtp_data = accept
message_size_limit = 20M
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
recipients_max = 1000
log_file_path = /var/log/exim4/%slog
delay_warning = {remote.WARN_S}s:1h
ignore_bounce_errors_after = 1m

begin routers

holiday:
  driver = accept
  domains = remote.example
  local_parts = ^holiday\\\\.
  transport = holiday

program:
  driver = accept
  domains = remote.example
  local_parts = ^program\\\\.
  transport = program

aliases:
  driver = redirect
  domains = remote.example
  data = ${{lookup{{$local_part}}lsearch{{/etc/exim4/aliases}}}}

next:
  driver = manualroute
  domains = remote.example : elsewhere.example
  local_parts = ! ^ghost\\\\.
  route_list = * {remote.NEXT[0]} byname
  transport = smtp

lists:
  driver = manualroute
  domains = lists.example.org
  route_list = * {remote.LISTS}
  transport = smtp

begin transports

smtp:
  driver = smtp
  hosts_try_fastopen =
  hosts_avoid_tls = *

program:
  driver = pipe
  command = {remote.PROGRAM}
  user = nobody
  return_output

holiday:
  driver = autoreply
  user = nobody
  from = $local_part@$domain
  to = $sender_address
  subject = on holiday
  text = I am on holiday until Monday.\\n

begin retry

* * F,{remote.EXPIRE_S}s,1s
"""


class Exim:
    name = "exim"
    packages = "exim4-daemon-light"
    cannot = {}
    kinds = {}

    def __init__(self, host):
        self.host = host
        host.add_user("Debian-exim", "/var/spool/exim4")
        for folder in "/var/spool/exim4", "/var/log/exim4", "/run/exim4":
            host.run("install", "-d", "-o", "Debian-exim", "-g", "Debian-exim", "-m", "0750", folder)
        host.write("/etc/exim4/exim4.conf", CONF)
        host.write("/etc/exim4/aliases", "".join(f"{name}: {to}\n" for name, to in remote.aliases()))

    def start(self):
        self.host.run("exim4", "-bd", "-q1s")

    def nudge(self):
        pass  # it runs its queue every second

    def count_queued(self):
        spool = self.host.path("/var/spool/exim4/input")
        return len(list(spool.glob("*-H"))), 0

    def log(self):
        path = self.host.path("/var/log/exim4/mainlog")
        return path.read_text(errors="replace") if path.exists() else ""
