/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/http/config.h"

#include <unistd.h>

/* A body of 64 KiB stays in memory, both ways. The worker is named several times: for nginx
 * each is another one to ask when a connection breaks. */
enum { WORKER_TIMES = 40 };

static const char nginx_http[] =
    "events { worker_connections 8192; }\n"
    "http {\n"
    "  access_log off;\n"
    "  server_tokens off;\n"
    "  tcp_nodelay on;\n"
    "  keepalive_requests 1000000000;\n"
    "  keepalive_timeout 3600s;\n"
    "  client_body_buffer_size 256k;\n"
    "  client_max_body_size 16m;\n";

static const char nginx_fastcgi[] =
    "    fastcgi_pass worker;\n"
    "    fastcgi_keep_conn on;\n"
    "    fastcgi_param REQUEST_METHOD $request_method;\n"
    "    fastcgi_param REQUEST_URI $request_uri;\n"
    "    fastcgi_param CONTENT_LENGTH $content_length;\n"
    "    fastcgi_buffer_size 16k;\n"
    "    fastcgi_buffers 8 64k;\n"
    "    fastcgi_next_upstream error timeout;\n";

static const char nginx_proxy[] =
    "    proxy_pass http://worker;\n"
    "    proxy_http_version 1.1;\n"
    "    proxy_set_header Connection \"\";\n"
    "    proxy_buffer_size 16k;\n"
    "    proxy_buffers 8 64k;\n"
    "    proxy_next_upstream error timeout;\n";

void iswi_bench_write_nginx(const iswi_bench_front_config *config, bool fastcgi, FILE *out)
{
    static const char *const temporary[] = { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" };

    fprintf(out, "daemon off;\nworker_processes 1;\npid %s/nginx.pid;\nerror_log stderr crit;\n",
            config->folder);
    if (geteuid() == 0)
        fputs("user root;\n", out); /* so that its worker may use the socket */
    fputs(nginx_http, out);
    for (size_t i = 0; i < sizeof temporary / sizeof temporary[0]; i++)
        fprintf(out, "  %s_temp_path %s/temporary;\n", temporary[i], config->folder);
    fputs("  upstream worker {\n", out);
    for (int i = 0; i < WORKER_TIMES; i++)
        fprintf(out, "    server unix:%s max_fails=0;\n", config->socket);
    fputs("    keepalive 2048;\n    keepalive_requests 1000000000;\n"
          "    keepalive_timeout 3600s;\n  }\n", out);
    fprintf(out, "  server {\n    listen 127.0.0.1:%u backlog=4096;\n", config->port);
    fprintf(out, "    location / {\n%s    }\n  }\n}\n",
            fastcgi ? nginx_fastcgi : nginx_proxy);
}

void iswi_bench_write_haproxy(const iswi_bench_front_config *config, FILE *out)
{
    fprintf(out,
            "global\n"
            "  nbthread 1\n"
            "  maxconn 8192\n"
            "defaults\n"
            "  mode http\n"
            "  timeout connect 5s\n"
            "  timeout client 1h\n"
            "  timeout server 1h\n"
            "  timeout http-keep-alive 1h\n"
            "  http-reuse always\n"
            "  retries 10\n"
            "  retry-on conn-failure empty-response junk-response\n"
            "frontend front\n"
            "  bind 127.0.0.1:%u backlog 4096\n"
            "  default_backend back\n"
            "backend back\n"
            "  server worker unix@%s pool-purge-delay 1h\n",
            config->port, config->socket);
}
