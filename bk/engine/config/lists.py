"""The lists that ship: what rules mean by `@paths.sensitive`, `@executables.allowed` and `@secrets.env_vars`."""

from __future__ import annotations

from bk.engine.tables import names

# Globs of places whose content must not leave the machine. `**/` stands for any folder, also for none.
SENSITIVE = (
    "~/.ssh/**", "~/.gnupg/**", "~/.aws/**", "~/.azure/**", "~/.config/gcloud/**", "~/.oci/**", "~/.kube/**",
    "~/.docker/config.json", "~/.config/containers/auth.json", "~/.netrc", "~/.git-credentials",
    "~/.config/git/credentials", "~/.config/gh/hosts.yml", "~/.config/glab-cli/**", "~/.config/hub", "~/.npmrc",
    "~/.yarnrc.yml", "~/.pypirc", "~/.config/pip/pip.conf", "~/.gem/credentials", "~/.cargo/credentials*",
    "~/.m2/settings*.xml", "~/.gradle/gradle.properties", "~/.composer/auth.json", "~/.nuget/NuGet/NuGet.Config",
    "~/.terraform.d/credentials.tfrc.json", "~/.terraformrc", "~/.vault-token", "~/.config/op/**",
    "~/.config/doctl/**", "~/.config/fly/**", "~/.fly/**", "~/.config/heroku/**", "~/.config/stripe/**",
    "~/.databrickscfg", "~/.snowflake/**", "~/.boto", "~/.s3cfg", "~/.config/rclone/**", "~/.pgpass", "~/.my.cnf",
    "~/.mylogin.cnf", "~/.rdesktop/**", "~/.password-store/**", "~/.local/share/keyrings/**",
    "~/Library/Keychains/**", "~/.mozilla/**", "~/.config/google-chrome/**", "~/.config/chromium/**",
    "~/.config/BraveSoftware/**", "~/Library/Application Support/Google/Chrome/**", "~/.bitcoin/**", "~/.electrum/**",
    "~/.ethereum/**", "~/.config/solana/**", "~/.claude/.credentials.json", "~/.claude.json", "~/.codex/auth.json",
    "~/.gemini/oauth_creds.json", "~/.bash_history", "~/.zsh_history",
    "**/.env", "**/.env.local", "**/.env.production", "**/.env.staging", "**/id_rsa", "**/id_ed25519", "**/id_ecdsa",
    "**/*.pem", "**/*.key", "**/*.p12", "**/*.pfx", "**/*.kdbx", "**/*.keystore", "**/*.jks",
    "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/**", "/etc/ssh/ssh_host_*_key",
    "/etc/kubernetes/**", "/root/.ssh/**", "/proc/*/environ", "/var/run/secrets/**", "/run/secrets/**",
)  # fmt: skip

# Variables that hold a credential by their name.
ENV_VARS = sorted(name.upper() for name in names("""
    aws_secret_access_key aws_session_token azure_client_secret azure_storage_key google_application_credentials
    github_token gh_token gitlab_token ci_job_token bitbucket_token npm_token node_auth_token pypi_token twine_password
    cargo_registry_token docker_password docker_auth_config openai_api_key anthropic_api_key gemini_api_key
    huggingface_token hf_token slack_bot_token slack_token discord_token telegram_bot_token stripe_secret_key
    sendgrid_api_key twilio_auth_token cloudflare_api_token digitalocean_access_token heroku_api_key vercel_token
    netlify_auth_token fly_api_token vault_token consul_http_token database_url postgres_password pgpassword mysql_pwd
    mysql_root_password redis_password mongodb_uri jwt_secret secret_key session_secret private_key kubeconfig
    sentry_auth_token datadog_api_key dd_api_key linear_api_key notion_token
    *_api_key *_apikey *_secret *_secret_key *_access_key *_auth_token *_access_token *_password *_passwd
    *_private_key *_credentials
"""))  # fmt: skip

# Programs of everyday development, for rules that stop everything else.
EXECUTABLES = sorted(names("""
    alias awk base64 basename bash bc bg bunx bun bundle cargo cat cd chmod clang clear cmake cmp code column comm
    composer cp curl cut date deno df diff dig dir dirname docker dotnet du echo egrep env eslint eval exit expand
    export expr factor false fd fg fgrep file find fmt fold free g++ gawk gcc gem gh git glab go gofmt gradle grep
    gunzip gzip hash head helm hexdump hostname id install java javac jest jobs join jq just kill kubectl ld less ln
    local locale ls lsof make man md5sum meson mkdir mktemp more mv mvn mypy nano ninja nl node nohup npm npx nproc od
    openssl paste patch php pip pip3 pipx pnpm podman poetry popd prettier printenv printf protoc ps pushd pwd pytest
    python python3 read readlink realpath return rev rg rm rmdir rspec ruby ruff rustc rustfmt rustup sed seq set sh
    sha1sum sha256sum sha512sum shellcheck shift shuf sleep sort source split sqlite3 stat stty sudo svn sw_vers tac
    tail tar tee terraform test time timeout touch tox tr tree true truncate tsc tsort tty type ulimit umask unalias
    uname unexpand uniq unset unzip uptime uv uvx vi vim vitest wait watch wc wget which who whoami xargs xxd yarn yes
    yq zip zsh [ [[
"""))  # fmt: skip
