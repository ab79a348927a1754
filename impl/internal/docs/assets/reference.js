(() => {
  'use strict';
  const contract = globalThis.escrowContract;
  const reference = globalThis.Scalar.createApiReference('#reference', {
    content: contract,
    // Nobody else is asked for anything, or told of anything; nothing that is
    // typed in is kept.
    withDefaultFonts: false,
    telemetry: false,
    persistAuth: false,
    mcp: { disabled: true },
    agent: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: 'never',
    // The site has these itself.
    hideSearch: true,
    hideDarkModeToggle: true,
    documentDownloadType: 'none',
    hiddenClients: true,
    theme: 'none',
    darkMode: matchMedia('(prefers-color-scheme: dark)').matches,
    orderSchemaPropertiesBy: 'preserve',
    defaultOpenFirstTag: true,
    // Addresses within the page, as the site's links have them.
    generateTagSlug: (tag) => tag.name.toLowerCase(),
    generateOperationSlug: (operation) => operation.operationId,
    generateModelSlug: (model) => model.name,
  });
  void reference;
})();
