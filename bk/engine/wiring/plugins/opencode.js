export const BeeKeeper = async (context) => {
  const told = (hook, input, output) => asked({ hook, directory: context?.directory, input, output });
  return {
    "tool.execute.before": async (input, output) => {
      const said = await told("tool.execute.before", input, output);
      if (said.reason !== undefined) throw new Error(said.reason);
    },
    "tool.execute.after": async (input, output) => {
      const said = await told("tool.execute.after", input, output);
      if (said.reason !== undefined) throw new Error(said.reason);
      if (typeof said.output === "string") output.output = said.output;
      if (typeof said.warning === "string") output.output = `${output.output}\n\n${said.warning}`;
    },
  };
};
