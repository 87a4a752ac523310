"""The peers that figures are ratios against."""
