/// The look of the pages about the interface, light and dark as the reader's system is.
enum PageStyle {
    static let css = """
        :root { color-scheme: light dark; --line: #c8ccd4; --soft: #f2f4f7; --ink: #1b1f27; --paper: #ffffff; --link: #0b4fb3; }
        @media (prefers-color-scheme: dark) {
          :root { --line: #414754; --soft: #21252e; --ink: #e6e9ef; --paper: #15181f; --link: #8ab8ff; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        a { color: var(--link); }
        a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        .skip { position: absolute; left: -100vw; }
        .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
        header, main { padding: 1rem; max-width: 60rem; }
        nav { padding: 1rem; border-block: 1px solid var(--line); }
        nav ul { margin: .25rem 0 .75rem; padding-left: 1.25rem; }
        summary { cursor: pointer; padding: .15rem 0; }
        article { border-top: 1px solid var(--line); padding: .5rem 0 1rem; scroll-margin-top: 1rem; }
        .address { overflow-wrap: anywhere; }
        .method { display: inline-block; min-width: 4.5rem; }
        code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
        pre { background: var(--soft); border: 1px solid var(--line); padding: .75rem; overflow: auto; max-height: 30rem; }
        table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
        caption { text-align: left; font-weight: bold; padding: .25rem 0; }
        th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; }
        .members { margin: .25rem 0; padding-left: 1.25rem; }
        dt { font-weight: bold; } dd { margin: 0 0 .75rem 1rem; }
        @media (min-width: 64rem) {
          body { display: grid; grid-template-columns: 20rem 1fr; grid-template-rows: auto 1fr; }
          header { grid-column: 1 / -1; }
          nav { border: 0; border-right: 1px solid var(--line); position: sticky; top: 0; align-self: start; max-height: 100vh;
            overflow: auto; }
        }
        @media print { nav, .skip { display: none; } }

        """
}
