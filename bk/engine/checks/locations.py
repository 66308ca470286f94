"""Sensitive locations as data: where they lie, what kind they are, and what each kind of use means."""

from __future__ import annotations

from bk.engine.model import Level
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind:
    """A kind of location: the level of each use of it, what it is in words, and what to do instead."""

    __slots__ = ("instead", "levels", "name", "what")

    def __init__(self, name: str, what: str, levels: Mapping[str, Level], instead: str) -> None:
        self.name = name
        self.what = what
        self.levels = levels
        self.instead = instead


def _levels(read: str, write: str, delete: str, listing: str = "allow") -> dict[str, Level]:
    words = {"read": read, "write": write, "delete": delete, "list": listing}
    return {mode: Level.of(word) for mode, word in words.items()}


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "secret-store",
            "a directory of keys and credentials",
            _levels("block", "block", "block"),
            "name what you need from it and let the person run that step",
        ),
        Kind(
            "credential-file",
            "a file that holds credentials",
            _levels("block", "block", "block"),
            "use the tool that owns these credentials, without printing them",
        ),
        Kind(
            "user-credential",
            "the user's own configuration with credentials in it",
            _levels("block", "ask", "ask"),
            "put the project's setting in the project's own file",
        ),
        Kind(
            "env-file",
            "an environment file with secrets",
            _levels("block", "warn", "ask"),
            "read the template (.env.example) or ask for the name of the variable you need",
        ),
        Kind(
            "maybe-secret",
            "a file that often holds secrets",
            _levels("warn", "allow", "allow"),
            "read only what you need of it and do not repeat values",
        ),
        Kind(
            "key-file",
            "a key container",
            _levels("ask", "warn", "ask"),
            "refer to the key by its path; the program that needs it can open it",
        ),
        Kind(
            "history",
            "a command history, in which secrets are often left",
            _levels("warn", "warn", "warn"),
            "ask the person for the command you are looking for",
        ),
        Kind(
            "startup",
            "a file that runs whenever a shell or a program starts",
            _levels("allow", "ask", "ask"),
            "set the variable in the project, or show the person the line to add",
        ),
        Kind(
            "persistence",
            "a place from which programs are started again by the system",
            _levels("allow", "block", "block"),
            "write the file in the project and let the person install it",
        ),
        Kind(
            "git-hook",
            "a hook that git runs unasked",
            _levels("allow", "ask", "ask"),
            "keep hooks in the repository and let the person enable them",
        ),
        Kind(
            "agent-config",
            "configuration from which agents start programs",
            _levels("allow", "warn", "warn"),
            "say which server or setting you add, and why",
        ),
        Kind(
            "agent-instructions",
            "instructions that agents follow",
            _levels("allow", "warn", "warn"),
            "tell the person what you changed in it",
        ),
        Kind(
            "system-secret",
            "a system file with secrets",
            _levels("block", "block", "block"),
            "leave it to the system's own tools and an administrator",
        ),
        Kind(
            "system",
            "a system file that decides who may do what",
            _levels("allow", "block", "block"),
            "leave it to the system's own tools and an administrator",
        ),
        Kind(
            "device",
            "a raw device",
            _levels("warn", "block", "block"),
            "work on files in the project",
        ),
        Kind(
            "policy",
            "a path that your policy protects",
            _levels("block", "block", "block", "warn"),
            "ask the person to change paths.block if this is wrong",
        ),
    )
}


class Location:
    """A place. `parts` are its last components in lower case; `anchor` says where they must start.

    `any` is anywhere, `home` directly in someone's home directory, `root` at `/`. A `tree` covers all below it.
    `distinct`: the last part alone gives it away when what comes before is unknown.
    """

    __slots__ = ("anchor", "distinct", "kind", "parts", "tree")

    def __init__(self, kind: str, anchor: str, text: str) -> None:
        self.kind = KINDS[kind]
        self.anchor = anchor
        self.distinct = text.endswith("!")
        text = text.rstrip("!")
        self.tree = text.endswith("/")
        self.parts = tuple(text.strip("/").replace("%", " ").lower().split("/"))

    @property
    def name(self) -> str:
        """The place as people write it."""
        lead = {"home": "~/", "root": "/"}.get(self.anchor, "")
        return lead + "/".join(self.parts)


# One line a group: kind, anchor, places. A trailing `/` is a whole tree, `!` marks a telling name, `%` is a blank.
_TABLE = """
secret-store any .ssh/ .aws/ .gnupg/ .azure/ .password-store/ .gcloud/ .oci/ .vault-tokens/
secret-store home .config/gcloud/ .config/gh/ .config/op/ .config/claude/ .config/glab-cli/ .config/hub
secret-store home .config/rclone/ .config/1password/ .1password/ .config/sops/ .config/age/ .config/stripe/
secret-store home .config/doctl/ .config/solana/ .config/github-copilot/ .config/opencode/auth/ .config/atuin/
secret-store home .config/bitwarden%cli/ .config/exodus/ .local/share/keyrings/ .local/share/kwalletd/
secret-store home .local/share/gnupg/ library/keychains/ .keychain/ .mozilla/ .thunderbird/ .config/google-chrome/
secret-store home .config/chromium/ .config/bravesoftware/ .config/vivaldi/ .config/microsoft-edge/ .config/opera/
secret-store home snap/firefox/ snap/chromium/ .var/app/org.mozilla.firefox/
secret-store home library/application%support/google/chrome/ library/application%support/firefox/ library/cookies/
secret-store home library/application%support/bravesoftware/ .config/google-chrome-beta/ .librewolf/ .zen/ .bitcoin/
secret-store home .ethereum/ .electrum/ .monero/ .solana/ .exodus/ .litecoin/ .dogecoin/ .zcash/ .config/ledger%live/
secret-store root var/run/secrets/ run/secrets/ etc/kubernetes/pki/ etc/letsencrypt/archive/ etc/letsencrypt/live/
credential-file any .netrc! _netrc! .pypirc! .git-credentials! .pgpass! .my.cnf! .mylogin.cnf! .vault-token! .s3cfg!
credential-file any .boto! .docker/config.json .kube/config .cargo/credentials .cargo/credentials.toml
credential-file any .aws/credentials! .claude/.credentials.json .codex/auth.json .gemini/oauth_creds.json
credential-file any .qwen/oauth_creds.json id_rsa! id_dsa! id_ecdsa! id_ed25519! id_ecdsa_sk! id_ed25519_sk!
credential-file any .htpasswd .dockercfg! .databrickscfg! .gem/credentials .composer/auth.json
credential-file any .terraform.d/credentials.tfrc.json .terraformrc .kaggle/kaggle.json
credential-file any .local/share/opencode/auth.json .config/opencode/auth.json .config/containers/auth.json
credential-file any .fly/config.yml .config/ngrok/ngrok.yml .ngrok2/ngrok.yml .huggingface/token
credential-file any .cache/huggingface/token .snowsql/config .config/pypoetry/auth.toml .config/composer/auth.json
credential-file any .m2/settings-security.xml .copilot/config.json .config/configstore/firebase-tools.json
credential-file any .netlify/config.json .railway/config.json .local/share/com.vercel.cli/auth.json .expo/state.json
credential-file any .sentryclirc .wrangler/config/default.toml .factory/auth.json .augment/session.json
credential-file any .aider.conf.yml .continue/.env .config/goose/secrets.yaml
user-credential home .npmrc .yarnrc.yml .claude.json .m2/settings.xml .gradle/gradle.properties .nuget/nuget.config
user-credential home .bundle/config .pip/pip.conf .config/pip/pip.conf .config/nuget/nuget.config .cursor/mcp.json
user-credential home .windsurf/mcp.json .codeium/windsurf/mcp_config.json .terraform.d/ .config/amp/settings.json
env-file any .env! .env.local! .dev.vars
key-file any credentials.json service-account.json service_account.json
maybe-secret any .envrc secrets.yml secrets.yaml secrets.json secrets.toml
maybe-secret any .npmrc .yarnrc.yml terraform.tfstate terraform.tfvars client_secret.json .npmrc.bak
maybe-secret any local.settings.json .git-secrets/
history home .bash_history .zsh_history .sh_history .ksh_history .history .histfile .python_history
history home .node_repl_history .psql_history .mysql_history .sqlite_history .rediscli_history .irb_history .lesshst
history home .viminfo .wget-hsts .local/share/fish/fish_history .config/fish/fish_history .mongodb/ .dbshell
startup home .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin
startup home .zlogout .kshrc .cshrc .tcshrc .login .xinitrc .xprofile .xsession .xsessionrc .pam_environment .inputrc
startup home .gitconfig .config/fish/config.fish .config/fish/conf.d/ .config/git/config .config/environment.d/
startup home .config/nushell/ .zshrc.local .config/powershell/ .pythonrc .irbrc .gdbinit .vimrc .exrc .config/nvim/
startup home .emacs .emacs.d/init.el .curlrc .wgetrc
persistence home .config/systemd/ .local/share/systemd/ .config/autostart/ library/launchagents/ .config/upstart/
persistence home .config/plasma-workspace/env/ .config/cron/
persistence root etc/cron.d/ etc/crontab etc/cron.hourly/ etc/cron.daily/ etc/cron.weekly/ etc/cron.monthly/
persistence root etc/anacrontab var/spool/cron/ var/spool/at/ etc/systemd/ lib/systemd/ usr/lib/systemd/
persistence root usr/local/lib/systemd/ run/systemd/ etc/init.d/ etc/rc.local etc/inittab etc/profile etc/profile.d/
persistence root etc/bash.bashrc etc/bashrc etc/zsh/ etc/zshrc etc/zshenv etc/environment etc/ld.so.preload
persistence root etc/ld.so.conf.d/ etc/pam.d/ etc/udev/ etc/xdg/autostart/ library/launchdaemons/
persistence root library/launchagents/ etc/modules-load.d/ etc/update-motd.d/ etc/apt/apt.conf.d/
git-hook any .git/hooks/ .config/git/hooks/
agent-config any .mcp.json .cursor/mcp.json .vscode/mcp.json .vscode/tasks.json .gemini/settings.json
agent-config any .codex/config.toml .windsurf/mcp_config.json .roo/mcp.json .kiro/settings/mcp.json .opencode.json
agent-config any opencode.json
agent-config home .cursor/cli-config.json .cursor/hooks.json .codex/hooks.json .config/opencode/opencode.json
agent-instructions any claude.md claude.local.md agents.md gemini.md .cursorrules .windsurfrules .clinerules
agent-instructions any .github/copilot-instructions.md
system-secret root etc/shadow! etc/shadow- etc/gshadow! etc/gshadow- etc/security/opasswd etc/kubernetes/admin.conf
system-secret root etc/krb5.keytab etc/ppp/chap-secrets etc/ssh/ssh_host_rsa_key etc/ssh/ssh_host_ed25519_key
system-secret root etc/ssh/ssh_host_ecdsa_key proc/kcore dev/mem dev/kmem dev/port
system root etc/passwd etc/group etc/sudoers etc/sudoers.d/ etc/hosts.allow etc/hosts.deny etc/ssh/sshd_config
system root etc/selinux/ etc/apparmor.d/ etc/ca-certificates/ usr/local/share/ca-certificates/ etc/polkit-1/
system root etc/doas.conf proc/sysrq-trigger proc/sys/kernel/ sys/kernel/security/ boot/ etc/fstab etc/resolv.conf
system root etc/nsswitch.conf
"""

LOCATIONS: tuple[Location, ...] = tuple(
    Location(kind, anchor, place)
    for kind, anchor, *places in (line.split() for line in _TABLE.strip().splitlines())
    for place in places
)

# Last components to the places that end in them: one look-up a path component.
BY_NAME: dict[str, tuple[Location, ...]] = {}
for _place in LOCATIONS:
    BY_NAME[_place.parts[-1]] = (*BY_NAME.get(_place.parts[-1], ()), _place)

SUFFIXES: dict[str, Location] = {
    suffix: Location(kind, "any", f"*.{suffix}")
    for kind, suffixes in (
        ("credential-file", "kdbx kdb ppk agekey keytab"),
        ("key-file", "p12 pfx jks keystore"),
        ("maybe-secret", "env pem key tfstate tfvars asc"),
    )
    for suffix in suffixes.split()
}
ENV_VARIANT = Location("env-file", "any", ".env.*")
ENV_MAYBE = Location("maybe-secret", "any", ".env.example.*")
PROCESS_ENVIRONMENT = Location("system-secret", "root", "proc/*/environ")
DEVICE = Location("device", "root", "dev/*")

TEMPLATES = names(
    ".env.example .env.sample .env.template .env.test .env.schema .env.dist .env.defaults .env.default .env.tmpl"
)
TEMPLATE_SUFFIXES = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.schema")
PUBLIC = frozenset(("known_hosts", "known_hosts.old"))
BACKUPS = frozenset(("bak", "old", "orig", "save", "backup", "copy", "swp", "1"))
RAW_DEVICES = ("sd", "nvme", "vd", "xvd", "hd", "mmcblk", "mapper", "disk", "dm-", "md", "loop", "kmsg")
USES = frozenset(("source", ".", "--env-file"))
