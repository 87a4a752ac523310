// Turns one ES module into the body of a function, with acorn's help: imports become calls of `require`, exports
// become getters given to `exportAs`. Lines stay where they are. Runs in an isolate of its own, before any solution.
'use strict';

function transformModule(source, fileName) {
  let program;
  try {
    program = acorn.parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch (error) {
    const message = String(error.message).replace(/ \(\d+:\d+\)$/, '');
    return JSON.stringify({ error: { message, line: error.loc?.line ?? 0, column: (error.loc?.column ?? -1) + 1 } });
  }
  const edits = []; // [start, end, replacement], in source order
  const imports = []; // statements that must run before the module's own
  const getters = []; // `name: () => expression`
  let defaults = 0;

  const quote = (text) => JSON.stringify(text);
  const nameOf = (node) => (node.type === 'Literal' ? node.value : node.name);
  const blank = (node) => edits.push([node.start, node.end, source.slice(node.start, node.end).replace(/[^\n]/g, '')]);
  const exportName = (name, expression) => getters.push(`${quote(name)}: () => ${expression}`);
  const namespaceOf = (specifier) => {
    const name = `__jiki_import_${imports.length}`;
    imports.push(`const ${name} = __jiki_require(${quote(specifier)});`);
    return name;
  };
  const member = (namespace, name, specifier) => `__jiki_importName(${namespace}, ${quote(name)}, ${quote(specifier)})`;

  const boundNames = (pattern) => {
    switch (pattern?.type) {
      case 'Identifier':
        return [pattern.name];
      case 'ObjectPattern':
        return pattern.properties.flatMap((property) => boundNames(property.value ?? property.argument));
      case 'ArrayPattern':
        return pattern.elements.flatMap(boundNames);
      case 'AssignmentPattern':
        return boundNames(pattern.left);
      case 'RestElement':
        return boundNames(pattern.argument);
      default:
        return [];
    }
  };

  const handlers = {
    ImportDeclaration(node) {
      const from = node.source.value;
      const namespace = namespaceOf(from);
      for (const specifier of node.specifiers) {
        const local = specifier.local.name;
        if (specifier.type === 'ImportNamespaceSpecifier') {
          imports.push(`const ${local} = ${namespace};`);
        } else {
          const name = specifier.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(specifier.imported);
          imports.push(`const ${local} = ${member(namespace, name, from)};`);
        }
      }
      blank(node);
    },
    ExportAllDeclaration(node) {
      const namespace = namespaceOf(node.source.value);
      if (node.exported) {
        exportName(nameOf(node.exported), namespace);
      } else {
        imports.push(`__jiki_exportAll(${namespace});`);
      }
      blank(node);
    },
    ExportNamedDeclaration(node) {
      if (node.declaration) {
        const { declaration } = node;
        edits.push([node.start, declaration.start, '']);
        const names =
          declaration.type === 'VariableDeclaration'
            ? declaration.declarations.flatMap(({ id }) => boundNames(id))
            : [declaration.id.name];
        for (const name of names) exportName(name, name);
        return;
      }
      const namespace = node.source && namespaceOf(node.source.value);
      for (const { local, exported } of node.specifiers) {
        const name = nameOf(local);
        exportName(nameOf(exported), namespace ? member(namespace, name, node.source.value) : name);
      }
      blank(node);
    },
    ExportDefaultDeclaration(node) {
      const { declaration } = node;
      const isDeclaration = /^(Function|Class)Declaration$/.test(declaration.type);
      if (isDeclaration && declaration.id) {
        edits.push([node.start, declaration.start, '']);
        exportName('default', declaration.id.name);
        return;
      }
      defaults += 1;
      const name = `__jiki_default_${defaults}`;
      edits.push([node.start, declaration.start, `const ${name} = `]);
      if (isDeclaration) edits.push([declaration.end, declaration.end, ';']);
      exportName('default', name);
    },
  };
  for (const statement of program.body) handlers[statement.type]?.(statement);

  let code = '';
  let position = 0;
  for (const [start, end, replacement] of edits) {
    code += source.slice(position, start) + replacement;
    position = end;
  }
  code += source.slice(position);
  if (code.startsWith('#!')) code = `//${code}`;
  const exports_ = getters.length ? `__jiki_exportAs({ ${getters.join(', ')} });` : '';
  return JSON.stringify({ code: `${exports_}${imports.join(' ')}${code}` });
}
