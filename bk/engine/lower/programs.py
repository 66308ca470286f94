"""What programs do to the paths in their arguments, as data. A program that is not here is unknown, not harmless."""

from __future__ import annotations

from bk.engine.tables import names


class Spec:
    """How a program uses its operands.

    `does` is `read write delete list copy move link none`; `pattern`: the first operand is not a path unless one of
    `scripts` gave it; `takes`: options with a value that is not a path; `paths`: options with a path and what is done
    to it; `deep`: options that make it act on whole trees (`*` in it: always).
    """

    __slots__ = ("deep", "does", "long", "paths", "pattern", "scripts", "takes")

    def __init__(
        self, does: str, *, takes: str = "", paths: str = "", pattern: int = 0, scripts: str = "", deep: str = ""
    ) -> None:
        self.does = does
        self.takes = frozenset(takes.split())
        self.paths = dict(pair.split(":", 1) for pair in paths.split())
        self.pattern = pattern
        self.scripts = frozenset(scripts.split())
        self.deep = frozenset(deep.split())
        self.long = frozenset(one for one in (*self.takes, *self.paths, *self.deep) if one[:2] == "--")


SPECS: dict[str, Spec] = {}


def _add(names: str, spec: Spec) -> None:
    for name in names.split():
        SPECS[name] = spec


_add(
    "cat tac nl rev most batcat view hd hexyl uniq expand unexpand wc cksum sum md5 md5sum sha1sum sha224sum"
    " sha256sum sha384sum sha512sum shasum b2sum b3sum cmp sdiff diff3 iconv pr zcat bzcat xzcat zstdcat lz4cat"
    " pygmentize glow mdcat look tsort ptx csplit nano get-content gc more lolcat xmllint plutil readelf"
    " objdump nm ent binwalk exiftool pdftotext catdoc enscript vimcat age minisign signify qrencode uuencode bsdcat"
    " select-string sls import-csv format-hex bsdiff ccat source-highlight highlight jless fx multitail comm join",
    Spec(
        "read",
        takes="--width --columns --delimiter --bytes --language --theme --encoding -totalcount -tail -path",
        paths="--files0-from:read",
    ),
)
_add("cut", Spec("read", takes="-d -f -c -b --delimiter --fields --output-delimiter"))
_add("paste column", Spec("read", takes="-d -s1 --delimiters"))
_add("fold fmt", Spec("read", takes="-w --width"))
_add("base32 base64 basenc", Spec("read", takes="-w --wrap"))
_add("xxd hexdump", Spec("read", takes="-l -g -n -e -f"))
_add("strings", Spec("read", takes="-n -t --bytes --radix"))
_add("bat", Spec("read", takes="-l -r -H --language --line-range --theme --style --paging --highlight-line"))
_add("split", Spec("read", takes="-l -b -n -a --lines --bytes --number --suffix-length"))
_add("head tail", Spec("read", takes="-n -c --lines --bytes -s --pid --sleep-interval"))
_add("less", Spec("read", takes="-p -P -x -y -z -b -h -j -t", paths="-o:write -O:write -k:read"))
_add("od", Spec("read", takes="-A -j -N -S -t -w"))
_add("sort", Spec("read", takes="-k -t -S -T --key --field-separator", paths="-o:write --output:write"))
_add("diff colordiff delta icdiff difft", Spec("read", takes="-U -C -x -I -W --label", deep="-r -R --recursive"))
_add("vim vi nvim ex ed gvim kak helix hx micro joe", Spec("edit", takes="-c -T --cmd -u", paths="-S:read -W:write"))
_add(
    "grep egrep fgrep zgrep bzgrep xzgrep pcregrep ugrep",
    Spec(
        "read",
        pattern=1,
        scripts="-e -f --regexp --file",
        takes="-e -A -B -C -m --regexp --after-context --before-context --context --max-count --include --exclude"
        " --exclude-dir --color --colour --label -d -D",
        paths="-f:read --file:read --exclude-from:read",
        deep="-r -R --recursive --dereference-recursive",
    ),
)
_add(
    "rg ripgrep ag ack",
    Spec(
        "search",
        pattern=1,
        scripts="-e -f --regexp --file --files",
        takes="-e -A -B -C -m -g -t -T -M -j -r --regexp --after-context --before-context --context --max-count --glob"
        " --iglob --type --type-not --max-columns --threads --replace --sort --color --max-depth --engine -E --ignore",
        paths="-f:read --file:read --ignore-file:read",
        deep="--hidden -uu -uuu -. --unrestricted",
    ),
)
_add(
    "fd fdfind",
    Spec("list", pattern=1, takes="-e -t -d -x -X -E -g -S -j -c --extension --type --exclude --max-depth"),
)
_add(
    "sed gsed",
    Spec(
        "read", pattern=1, scripts="-e -f --expression --file", takes="-e -l --expression", paths="-f:read --file:read"
    ),
)
_add(
    "awk gawk mawk nawk",
    Spec("read", pattern=1, scripts="-f --file", takes="-F -v --field-separator --assign", paths="-f:read --file:read"),
)
_add(
    "jq yq gojq jaq dasel",
    Spec(
        "read",
        pattern=1,
        scripts="-f --from-file",
        takes="--indent -p -o --input-format --output-format",
        paths="-f:read --from-file:read -L:list",
    ),
)
_add(
    "psql mysql mariadb sqlite3 sqlite duckdb pgcli mycli litecli clickhouse-client cockroach cqlsh sqlcmd usql"
    " mail mailx"
    " mutt s-nail sendmail msmtp swaks neomutt lftp ftp ncftp expect tclsh gdb lldb tmux screen byobu",
    Spec("none", paths="-o:write --output:write -L:write --log-file:write"),
)
_add("tee sponge", Spec("write", takes="--output-error"))
_add("touch", Spec("write", takes="-d -t --date --time", paths="-r:list --reference:list"))
_add("fallocate", Spec("write", takes="-l -o --length --offset"))
_add("mkfifo mknod", Spec("write", takes="-m --mode"))
_add(
    "set-content sc add-content ac out-file new-item ni tee-object clear-content dos2unix unix2dos",
    Spec("write", takes="-value -encoding"),
)
_add("patch", Spec("write", takes="-p -F -D -B --strip", paths="-i:read --input:read -o:write -d:list -r:write"))
_add("mkdir md", Spec("list", takes="-m --mode"))
_add(
    "rm grm srm wipe remove-item ri del erase rd",
    Spec(
        "delete", takes="-filter -include -exclude", deep="-r -R -rf -fr --recursive -recurse /s", paths="-path:delete"
    ),
)
_add("rmdir unlink trash trash-put gio-trash gvfs-trash gunlink grmdir", Spec("delete"))
_add("rimraf del-cli trash-cli", Spec("delete", deep="*"))
_add("shred gshred sdelete", Spec("delete", takes="-n -s --iterations --size --random-source"))
_add(
    "cp ditto copy-item copy ci gcp cpi",
    Spec("copy", takes="-S --suffix", paths="-t:into --target-directory:into", deep="-r -R -a --recursive --archive"),
)
_add("install ginstall", Spec("copy", takes="-m -o -g -S --mode --owner --group --suffix", paths="-t:into"))
_add("mv move-item move mi rename ren gmv", Spec("move", takes="-S --suffix", paths="-t:into --target-directory:into"))
_add("ln link mklink gln", Spec("link", takes="-S --suffix", paths="-t:into --target-directory:into"))
_add("mount", Spec("link", takes="-t -o -L -U --types --options"))
_add("umount", Spec("write", takes="-t -O"))
_add("scp sftp", Spec("copy", takes="-i -P -F -o -c -l -S -J -D", deep="-r"))
_add(
    "ls dir vdir exa eza lsd gls get-childitem gci",
    Spec("list", takes="-I -w --ignore --width --color --sort --time --level"),
)
_add("tree", Spec("list", takes="-I -L -P", deep="*"))
_add(
    "stat file readlink realpath du test-path get-item gi getfacl lsattr namei findmnt basename-of",
    Spec("none", takes="-c -f --format"),
)
_add("gzip gunzip bzip2 bunzip2 xz unxz zstd lz4 pigz brotli compress", Spec("rewrite", takes="-S --suffix"))
_add("unzip", Spec("read", takes="-P -x", paths="-d:tree", pattern=0))
_add("7z 7za 7zz rar unrar", Spec("read", pattern=1, takes=""))
_add(
    "openssl",
    Spec(
        "none",
        paths="-in:read -out:write -inkey:list -keyout:write -key:list -cert:list -CAfile:list -pass:none"
        " -passin:none -passout:none -kfile:read -config:read",
    ),
)
_add("gpg gpg2", Spec("read", takes="-r -u --recipient --local-user --homedir", paths="-o:write --output:write"))
_add("ssh-keygen", Spec("none", takes="-t -b -C -N -P -O -a -I -n -V -m -F -R -l", paths="-f:keygen"))
_add("ssh mosh autossh", Spec("none", paths="-E:write -F:read"))
_add("ssh-add ssh-agent ssh-copy-id", Spec("none"))
_add("crontab", Spec("read", takes="-u"))
_add("at batch", Spec("none", paths="-f:read", takes="-q -t"))
_add("code cursor subl windsurf codium open xdg-open start", Spec("list"))
_add("source .", Spec("source"))
_add("dot-source", Spec("source"))
_add("make gmake", Spec("none", takes="-j -l -o -W", paths="-f:read -C:list"))
_add(
    "echo printf print true false : exit return sleep date seq expr let whoami id uname hostname man info whatis which"
    " whereis hash jobs fg bg wait ps pgrep pkill killall kill top htop free df uptime history alias unalias set"
    " unset export declare typeset local readonly shift getopts read mapfile readarray ulimit umask trap test [ [["
    " dirname basename pwd yes tput clear reset stty tty env printenv nproc arch logger notify-send break continue"
    " systemctl journalctl loginctl write-host write-output tr bc dc factor cal ping dig nslookup host",
    Spec("none"),
)

SHELLS = frozenset(("sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "fish", "rbash", "yash", "oksh", "csh", "tcsh"))
SHELL_TAKES = frozenset(("-o", "+o", "-O", "+O", "--rcfile", "--init-file"))

# Options after which the next word is program text, for interpreters that are not shells.
INTERPRETERS: dict[str, frozenset[str]] = {
    "python": frozenset(("-c",)),
    "pypy": frozenset(("-c",)),
    "ipython": frozenset(("-c",)),
    "node": frozenset(("-e", "-p", "--eval", "--print", "-pe")),
    "nodejs": frozenset(("-e", "-p", "--eval", "--print", "-pe")),
    "bun": frozenset(("-e", "--eval", "-p", "--print")),
    "deno": frozenset(("eval",)),
    "tsx": frozenset(("-e", "--eval", "-p")),
    "perl": frozenset(("-e", "-E")),
    "ruby": frozenset(("-e",)),
    "php": frozenset(("-r",)),
    "lua": frozenset(("-e",)),
    "luajit": frozenset(("-e",)),
    "osascript": frozenset(("-e",)),
    "rscript": frozenset(("-e",)),
    "julia": frozenset(("-e", "-E")),
    "groovy": frozenset(("-e",)),
    "elixir": frozenset(("-e",)),
    "swift": frozenset(("-e",)),
    "guile": frozenset(("-c",)),
    "emacs": frozenset(("--eval", "-eval", "--execute")),
    "emacsclient": frozenset(("-e", "--eval")),
    **dict.fromkeys(("pwsh", "powershell", "powershell_ise", "cmd"), frozenset(("-c",))),
    **dict.fromkeys(
        ("py", "pythonw", "bpython", "micropython", "jython", "xonsh", "sage", "racket"), frozenset(("-c",))
    ),
    **dict.fromkeys(("ts-node", "qjs", "esno", "jsc", "jjs", "d8"), frozenset(("-e", "--eval", "-p", "--print"))),
    **dict.fromkeys(("jruby", "crystal", "texlua", "clojure", "bb", "scala", "kotlin"), frozenset(("-e",))),
    "sbcl": frozenset(("--eval",)),
    "hhvm": frozenset(("-r",)),
    "r": frozenset(("-e",)),
    "littler": frozenset(("-e",)),
    "octave": frozenset(("--eval",)),
    "nu": frozenset(("-c", "--commands")),
    "elvish": frozenset(("-c",)),
}
INTERPRETER_TAKES = frozenset(("-W", "-X", "-r", "--require", "--import", "--loader", "-C"))

# Programs through which what was fetched flows on; `| sh` after them is still `fetched | sh`.
FETCHERS = frozenset(("curl", "wget", "fetch", "http", "https", "xh", "aria2c", "iwr", "invoke-webrequest", "lynx"))

# Options that hand a file to a program for its own use (a key to log in with), which discloses nothing.
USE_OPTIONS = names(
    "-i --identity --kubeconfig --key --cert --cacert --capath --ca --keyfile --private-key --ssh-key"
    " --key-file --password-file --token-file --netrc-file --credentials --profile --config --config-file"
    " --identity-file"
)
