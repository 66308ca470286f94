// Written by `bk hooks install`: each tool call is shown to the guard first, and runs only when it says yes.
const GUARD = [];
const SECONDS = 8;
const OUTPUT = 1 << 20;
const GONE = "bk blocked this call: the guard did not answer (is bk installed?); a person can run: bk hooks status";

// What the guard says to a call: { reason } to stop it, { warning, output } to let it run. Never throws.
async function asked(call) {
  try {
    const { spawn } = await import("node:child_process");
    const body = JSON.stringify(call);
    return await new Promise((resolve) => {
      const no = (why) => resolve({ reason: why ? `${GONE} (${why})` : GONE });
      const child = spawn(GUARD[0], GUARD.slice(1), { stdio: ["pipe", "pipe", "pipe"] });
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        no(`no answer within ${SECONDS} s`);
      }, SECONDS * 1000);
      let out = "";
      let err = "";
      child.stdout.setEncoding("utf8").on("data", (text) => (out.length < OUTPUT ? (out += text) : child.kill("SIGKILL")));
      child.stderr.setEncoding("utf8").on("data", (text) => (err.length < OUTPUT ? (err += text) : child.kill("SIGKILL")));
      child.stdin.on("error", () => {}); // a guard that does not read has its own exit code
      child.on("error", (error) => {
        clearTimeout(timer);
        no(error.message);
      });
      child.on("close", (code) => {
        clearTimeout(timer);
        try {
          const said = JSON.parse(out);
          if (said.decision === "deny" && typeof said.reason === "string" && said.reason) {
            resolve({ reason: said.reason });
          } else if (code !== 0 || said.decision !== "allow" || Object.keys(said).some((key) => !["decision", "warning", "output"].includes(key))) {
            no(`exit ${code}`);
          } else {
            resolve({ warning: said.warning, output: said.output });
          }
        } catch {
          no(err.trim().slice(0, 300) || `exit ${code}`);
        }
      });
      child.stdin.end(body);
    });
  } catch (error) {
    return { reason: `${GONE} (${error})` };
  }
}
