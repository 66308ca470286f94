"""Calls that do something, in the languages of one-liners: what is deleted, written, read, started, connected to.

A call is looked up by its whole dotted name, then by its last two parts, then by its last part.
"""

from __future__ import annotations

ANY: dict[str, str] = {}


def _put(table: dict[str, str], kind: str, text: str) -> None:
    for name in text.split():
        table[name] = kind


_put(
    ANY,
    "rm",
    "os.remove os.unlink os.rmdir os.removedirs unlinkSync rmdirSync fs.unlink fs.rmdir promises.unlink promises.rmdir"
    " fs.rm rmSync promises.rm Deno.remove Deno.removeSync File.delete File.unlink Dir.rmdir Dir.unlink Dir.delete"
    " FileUtils.rm FileUtils.rm_f FileUtils.rmdir FileUtils.remove FileUtils.safe_unlink file.remove"
    " FileUtils.remove_file"
    " Files.delete Files.deleteIfExists File.rm File.rm! File.rmdir File.rmdir! delete-file FileManager.removeItem"
    " removeItem send2trash",
)
_put(
    ANY,
    "rmtree",
    "shutil.rmtree rmtree rimraf rimraf.sync rimrafSync fse.remove fse.removeSync fs.removeSync fs.emptyDir"
    " fs.emptyDirSync emptyDirSync removeSync del.sync deleteAsync deleteSync FileUtils.rm_r FileUtils.rm_rf"
    " FileUtils.rmtree FileUtils.remove_dir FileUtils.remove_entry FileUtils.remove_entry_secure rm_rf rm_r remove_tree"
    " remove_dir_all remove_dir File.rm_rf File.rm_rf! delete-directory shell.rm dir_util.remove_tree remove_entry",
)
_put(
    ANY,
    "write",
    "writeFileSync fs.writeFile promises.writeFile appendFileSync fs.appendFile promises.appendFile createWriteStream"
    " fs.truncate truncateSync os.truncate Deno.writeTextFile Deno.writeTextFileSync Deno.writeFile Deno.writeFileSync"
    " Deno.truncate Bun.write File.write IO.write File.binwrite IO.binwrite file_put_contents fs.outputFile"
    " outputFileSync writeJsonSync File.truncate os.mknod os.mkfifo File.write! writeLines write.csv saveRDS"
    " write-region"
    " touch ZipFile tarfile.open np.save savetxt to_csv",
)
_put(
    ANY, "chmod", "os.chmod os.chown os.lchown chmodSync fs.chmod chownSync fs.chown File.chmod-1 Deno.chmod os.chflags"
)
_put(
    ANY,
    "copy",
    "shutil.copy shutil.copy2 shutil.copyfile copyFileSync fs.copyFile promises.copyFile cpSync fs.cp fse.copy copySync"
    " FileUtils.cp FileUtils.copy FileUtils.copy_file Deno.copyFile File.copy IO.copy_stream File.cp File.cp! file.copy"
    " copyfile",
)
_put(
    ANY,
    "copytree",
    "shutil.copytree copytree FileUtils.cp_r FileUtils.copy_entry File.cp_r File.cp_r! distutils.copy_tree",
)
_put(
    ANY,
    "move",
    "os.rename os.replace os.renames shutil.move renameSync fs.rename promises.rename fse.move moveSync File.rename"
    " FileUtils.mv FileUtils.move Deno.rename Deno.renameSync file.rename rename-file File.rename! FileUtils.move_file",
)
_put(
    ANY,
    "link",
    "os.symlink os.link symlinkSync fs.symlink promises.symlink linkSync fs.link File.symlink File.link FileUtils.ln_s"
    " FileUtils.ln_sf FileUtils.ln Deno.symlink Deno.link File.ln_s File.ln_s! promises.link",
)
_put(
    ANY,
    "read",
    "readFileSync fs.readFile promises.readFile createReadStream File.read IO.read File.readlines IO.readlines"
    " File.binread File.foreach Deno.readTextFile Deno.readTextFileSync Deno.readFile Deno.readFileSync Bun.file"
    " file_get_contents readfile readLines readRDS read.csv File.read! File.stream linecache.getline runpy.run_path"
    " fileinput.input parse_ini_file highlight_file show_source json.load_file YAML.load_file slurp read_text-0",
)
_put(ANY, "open", "io.open codecs.open os.open openSync fs.open promises.open File.open File.new IO.open aiofiles.open")
_put(
    ANY,
    "sh",
    "os.system os.popen subprocess.getoutput subprocess.getstatusoutput commands.getoutput commands.getstatusoutput"
    " child_process.exec child_process.execSync execSync create_subprocess_shell Kernel.system Kernel.exec"
    " IO.popen Open3.capture2 Open3.capture2e Open3.capture3 Open3.popen3 Open3.popen2 Open3.popen2e Open3.pipeline"
    " PTY.spawn Process.spawn Kernel.spawn os.execute io.popen shell.exec shelljs.exec execaCommand execaCommandSync"
    " System.shell shell-command shell-command-to-string async-shell-command os.cmd popen2.popen3 platform.popen",
)
_put(
    ANY,
    "argv",
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen pty.spawn"
    " Bun.spawn Bun.spawnSync Deno.run child_process.spawn child_process.spawnSync child_process.execFile"
    " child_process.execFileSync child_process.fork spawnSync execFileSync execFile create_subprocess_exec Deno.Command"
    " execa execaSync System.cmd system* pexpect.spawn pexpect.run pcntl_exec posix_spawn sh.Command call-process"
    " start-process plumbum.local cross_spawn spawn.sync",
)
_put(ANY, "execv", "os.execv os.execve os.execvp os.execvpe posix.execv os.posix_spawn os.posix_spawnp")
_put(ANY, "execl", "os.execl os.execle os.execlp os.execlpe")
_put(ANY, "spawnv", "os.spawnv os.spawnve os.spawnvp os.spawnvpe")
_put(ANY, "spawnl", "os.spawnl os.spawnle os.spawnlp os.spawnlpe")
_put(
    ANY,
    "get",
    "urlopen urllib.request.urlopen urllib.urlopen urlretrieve URI.open Net::HTTP.get Net::HTTP.get_response"
    " LWP::Simple.get getstore getprint mirror curl_init wget.download download.file Net.HTTP.get http.request"
    " https.request http.get https.get needle got ky superagent.get curl_download open-uri HTTP.get! Req.get!",
)
_put(ANY, "post", "Net::HTTP.post Net::HTTP.post_form sendBeacon HTTP.post! Req.post!")
_put(
    ANY,
    "fetch",
    "fetch axios axios.request got.stream Request requests.request httpx.request ky.post-0 ofetch undici.request",
)
_put(
    ANY,
    "host",
    "HTTPSConnection HTTPConnection SMTP SMTP_SSL FTP FTP_TLS Telnet ftplib.FTP smtplib.SMTP poplib.POP3 imaplib.IMAP4"
    " Net::FTP.open Net::SMTP.start Net::SSH.start gethostbyname getaddrinfo dns.lookup dns.resolve dns.resolve4"
    " gethostbyaddr Resolv.getaddress dns_get_record resolver.resolve dns.resolver.resolve",
)
_put(
    ANY,
    "socket",
    "socket.create_connection create_connection createConnection net.connect net.createConnection tls.connect"
    " TCPSocket.new"
    " TCPSocket.open TCPSocket Socket.tcp UDPSocket.new fsockopen pfsockopen stream_socket_client socket_connect"
    " IO::Socket::INET.new IO::Socket::INET6.new IO::Socket::SSL.new OpenSSL::SSL::SSLSocket Net.Socket socket.tcp-0"
    " sockaddr_in pack_sockaddr_in socketConnection make.socket open_connection asyncio.open_connection Deno.connect"
    " Bun.connect",
)
_put(
    ANY,
    "eval",
    "builtins.eval builtins.exec vm.runInThisContext vm.runInNewContext vm.runInContext runInThisContext"
    " runInNewContext"
    " vm.Script instance_eval class_eval module_eval Kernel.eval loadstring create_function"
    " Function runpy.run_code code.interact execfile Code.eval_string eval-expression Binding.eval GLOBAL.eval"
    " globalThis.eval window.eval global.eval",
)
_put(
    ANY, "load", "marshal.loads pickle.loads cPickle.loads dill.loads Marshal.load yaml.unsafe_load types.FunctionType"
)

OF: dict[str, dict[str, str]] = {
    "python": {"open": "open", "eval": "eval", "exec": "eval", "compile": "eval", "execfile": "read"},
    "js": {
        "eval": "eval",
        "spawn": "argv",
        "exec": "sh",
        "rm": "rm",
        "unlink": "rm",
        "rmdir": "rm",
        "writeFile": "write",
        "appendFile": "write",
        "readFile": "read",
        "rename": "move",
        "copyFile": "copy",
        "symlink": "link",
        "fork": "argv",
        "truncate": "write",
    },
    "ruby": {
        "system": "words",
        "exec": "words",
        "spawn": "words",
        "open": "open",
        "eval": "eval",
        "load": "read",
        "rm": "rm",
        "rm_f": "rm",
        "unlink": "rm",
        "mv": "move",
        "cp": "copy",
        "cp_r": "copytree",
        "chmod": "chmod1",
        "sh": "words",
        "syscall": "load",
        "rmdir": "rm",
        "ln_s": "link",
    },
    "perl": {
        "system": "words",
        "exec": "words",
        "unlink": "rm",
        "rmdir": "rm",
        "open": "perlopen",
        "sysopen": "perlopen",
        "eval": "eval",
        "rename": "move",
        "link": "link",
        "symlink": "link",
        "copy": "copy",
        "move": "move",
        "chmod": "chmod1",
        "truncate": "write",
        "do": "read",
        "rmtree": "rmtree",
        "open2": "tail1",
        "open3": "tail3",
        "get": "get",
        "cp": "copy",
        "mv": "move",
    },
    "php": {
        "system": "sh",
        "exec": "sh",
        "shell_exec": "sh",
        "passthru": "sh",
        "popen": "sh",
        "proc_open": "sh",
        "unlink": "rm",
        "rmdir": "rm",
        "fopen": "open",
        "file": "read",
        "rename": "move",
        "copy": "copy",
        "symlink": "link",
        "link": "link",
        "eval": "eval",
        "assert": "eval",
        "include": "read",
        "require": "read",
        "chmod": "chmod",
        "chown": "chmod",
        "include_once": "read",
        "require_once": "read",
        "touch": "write",
    },
    "lua": {"os.remove": "rm", "os.rename": "move", "load": "eval", "dofile": "read", "loadfile": "read"},
    "awk": {"system": "sh"},
    "lisp": {"system": "sh", "load-file": "read", "eval": "eval", "delete-directory": "rmtree", "find-file": "read"},
    "other": {
        "system": "sh",
        "system2": "argv",
        "shell": "sh",
        "unlink": "rm",
        "run": "argv",
        "rm": "rm",
        "mv": "move",
        "cp": "copy",
        "open": "open",
        "eval": "eval",
        "download": "get",
        "execute": "sh",
    },
}

# Methods of a path object: the base is the path.
METHODS: dict[str, str] = {}
_put(METHODS, "rm", "unlink rmdir delete remove delete! deleteOnExit")
_put(METHODS, "rmtree", "rmtree deleteDir deleteRecursively rm_rf remove_tree")
_put(METHODS, "write", "write_text write_bytes touch writeText appendText setText binwrite write_lines write truncate")
_put(METHODS, "read", "read_text read_bytes read readlines readText text json stream arrayBuffer each_line readLines")
_put(METHODS, "open", "open")
_put(METHODS, "move", "rename replace move_to renameTo")
_put(METHODS, "link", "symlink_to hardlink_to make_symlink link_to")
_put(METHODS, "chmod", "chmod lchmod chown")

VERBS = {
    "get": "GET",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "head": "HEAD",
    "options": "OPTIONS",
    "request": "",
    "download": "GET",
    "postForm": "POST",
    "post_form": "POST",
    "getJSON": "GET",
    "propfind": "",
}
SOCKETS = frozenset(
    [
        "socket",
        "TCPSocket",
        "TCPServer",
        "UDPSocket",
        "fsockopen",
        "pfsockopen",
        "stream_socket_client",
        "socket_create",
        "Socket",
        "INET",
        "INET6",
        "createConnection",
        "socket_connect",
        "socketConnection",
        "IO::Socket::INET",
        "IO::Socket",
        "IO::Socket::SSL",
        "inet_aton",
        "sockaddr_in",
        "open_connection",
        "create_connection",
        "connect",
        "net",
        "tls",
        "luasocket",
        "inet",
        "Net",
    ]
)
JOINTS = frozenset(
    (
        "connect",
        "bind",
        "accept",
        "listen",
        "createServer",
        "TCPServer",
        "TCPSocket",
        "fsockopen",
        "pfsockopen",
        "stream_socket_client",
        "createConnection",
        "create_connection",
        "Socket",
        "open_connection",
        "socketConnection",
        "IO::Socket::INET",
        "IO::Socket",
        "INET",
        "tcp",
        "inet",
    )
)
WIRES = frozenset(("dup2", "pty", "PTY", "fdopen", "reopen"))
HEARS = frozenset(
    ("recv", "recvfrom", "recv_into", "makefile", "gets", "receive", "fgets", "fread", "read", "getline", "data")
)


def kind_of(name: str, language: str) -> str:
    """What a call of this name does, or ""."""
    own = OF.get(language, OF["other"])
    found = own.get(name) or ANY.get(name)
    if found:
        return found
    parts = name.replace("::", ".").split(".")
    if len(parts) > 2:
        found = ANY.get(".".join(parts[-2:]))
        if found:
            return found
    if len(parts) > 1:
        last = parts[-1]
        found = ANY.get(last)
        if found and last not in _AMBIGUOUS:
            return found
        if parts[0] in ("os", "fs", "child_process", "shutil", "subprocess", "FileUtils", "Kernel", "promises", "fse"):
            return ANY.get(f"{parts[0]}.{last}", "")
    return ""


_AMBIGUOUS = frozenset(
    ["touch", "mirror", "got", "fetch", "Request", "needle", "ky", "urlopen-0", "slurp", "connect", "Function", "host"]
)
