# Written by kubectl-runway: completion for PowerShell 7.3 or later.
#
#   kubectl-runway completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'kubectl-runway' -ScriptBlock {
    param($current, $ast, $cursor)
    $words = @($ast.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    $program = $words[0]
    $words = @($words | Select-Object -Skip 1)
    if ($current -eq '') { $words += '' }
    $lines = @(& $program __complete @words 2>$null)
    if ($lines.Count -eq 0) { return }
    $directive = [int]($lines[-1].TrimStart(':'))
    $lines = @($lines | Select-Object -SkipLast 1)
    # The candidates of --flag=value are values.
    $flag = if ($current -like '-*=*') { $current.Substring(0, $current.IndexOf('=') + 1) } else { '' }
    $space = if ($directive -band 2) { '' } else { ' ' }
    foreach ($line in $lines) {
        $value, $about = $line -split "`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new("$flag$value$space", $value, 'ParameterValue', $about)
    }
}
